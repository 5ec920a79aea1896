#!/usr/bin/env bash
# Another user's leftover blocks nobody: in a directory with the sticky bit it cannot be removed, and
# is passed over. And what another user has put there is never taken for a journal of one's own.
# shellcheck source=tests/cli/lib.sh
source "$(dirname "$0")/lib.sh"
need_root
need_command setpriv setfattr getfattr

generate plain "$work/original"
chmod 755 "$work"
install -m 755 "$SHUNT" "$work/shunt"
mkdir -m 1777 "$work/public"
cd "$work/public"
touch probe
setfattr -n user.shunt.probe probe 2>/dev/null || skip "no extended attributes in $work"
rm probe

me=65534 other=12345
# as_me CODE ARGUMENT...
as_me() {
  local code=$1
  shift
  rc=0
  setpriv --reuid=$me --regid=$me --clear-groups "$work/shunt" "$@" >"$work/out" 2>"$work/err" || rc=$?
  ((rc == code)) || fail "shunt $* as another user: exit $rc instead of $code: $(said)"
}

fresh() {
  rm -f film
  install -m 644 -o $me -g $me "$work/original" film
}

# leftover NAME: of the other user, as a run that died leaves it.
leftover() {
  head -c 300 "$work/original" >"$1"
  setfattr -n user.shunt.unfinished "$1"
  chown $other:$other "$1"
  chmod 600 "$1"
}

for name in .film.shunt-new .film.shunt-journal-new .film.shunt-journal; do
  for strategy in auto copy shift; do
    fresh
    leftover "$name"
    before=$(state "$name")
    as_me 0 faststart -n --strategy "$strategy" film
    as_me 0 faststart --strategy "$strategy" film
    what="$strategy beside a $name of another user"
    check "$work/original" film
    equal "the leftover, $what" "$(state "$name")" "$before"
    rm "$name"
    no_leftovers .
  done
done
leftover .new.shunt-new
fresh
as_me 0 faststart film -o new
check "$work/original" new
rm -f new .new.shunt-new

# A run that is killed beside another user's "journal" is recovered from its own.
big_file "$work/big" 48
rm -f film
install -m 644 -o $me -g $me "$work/big" film
leftover .film.shunt-journal
setpriv --reuid=$me --regid=$me --clear-groups "$work/shunt" faststart -q --strategy shift film &
child=$!
background+=("$child")
if appears .film.shunt-journal.$me "$child"; then
  kill -KILL "$child" 2>/dev/null || true
fi
wait "$child" 2>/dev/null || true
if [[ -e .film.shunt-journal.$me ]]; then
  as_me 1 faststart film -o elsewhere
  says 'an earlier run was interrupted'
  as_me 0 faststart --recover film
  as_me 0 faststart film
else
  echo "too fast to be killed: no journal"
fi
what="recovered beside another user's journal"
check "$work/big" film
rm .film.shunt-journal
no_leftovers .

# All the names that can be foreseen are another user's.
fresh
leftover .film.shunt-journal
leftover .film.shunt-journal.$me
for strategy in auto shift; do
  fresh
  as_me 0 faststart -n --strategy "$strategy" film
  as_me 0 faststart --recover film
  as_me 0 faststart --strategy "$strategy" film
  what="$strategy beside another user's journals"
  check "$work/original" film
done
as_me 0 faststart film -o "elsewhere"
rm .film.shunt-journal .film.shunt-journal.$me elsewhere
no_leftovers .

# Where others may write to the file, the journal may be theirs. The file tells whether it is, as
# only they could have marked it: anybody else's blocks nobody.
for mode in 664 666; do
  for name in .film.shunt-new .film.shunt-journal-new .film.shunt-journal; do
    for strategy in auto copy shift; do
      fresh
      chmod $mode film
      leftover "$name"
      before=$(state "$name")
      as_me 0 faststart -n --strategy "$strategy" film
      as_me 0 faststart --recover film
      as_me 0 faststart --strategy "$strategy" film
      what="$strategy of a file of mode $mode beside a $name of another user"
      check "$work/original" film
      equal "the leftover, $what" "$(state "$name")" "$before"
      equal "marks, $what" "$(getfattr --absolute-names -d film)" ""
      rm "$name"
      no_leftovers .
    done
  done
done
fresh
chmod 666 film
leftover .film.shunt-journal
setfattr -n user.shunt.journal -v .film.shunt-journal film
before=$(state film)
as_me 7 faststart film
as_me 1 faststart film -o elsewhere
equal "a file with somebody's journal" "$(state film)" "$before"
rm .film.shunt-journal
as_me 0 faststart film
equal "a mark that named nothing" "$(getfattr --absolute-names -d film)" ""

# The other one writes to it, and is killed: that journal is not passed over, whatever its name.
for taken in "" .film.shunt-journal; do
  rm -f film
  install -m 666 -o $me -g $me "$work/big" film
  if [[ -n $taken ]]; then
    touch "$taken"
    chown 23456:23456 "$taken"
  fi
  own=.film.shunt-journal${taken:+.$other}
  setpriv --reuid=$other --regid=$other --clear-groups "$work/shunt" faststart -q --strategy shift \
    film &
  child=$!
  background+=("$child")
  if appears "$own" "$child"; then
    kill -KILL "$child" 2>/dev/null || true
  fi
  wait "$child" 2>/dev/null || true
  if [[ -e $own ]]; then
    before=$(state film)
    as_me 7 faststart film
    as_me 1 faststart film -o elsewhere
    equal "a file with the journal of another who writes to it" "$(state film)" "$before"
    rc=0
    setpriv --reuid=$other --regid=$other --clear-groups "$work/shunt" faststart --recover film \
      >"$work/out" 2>"$work/err" || rc=$?
    equal "exit of the recovery" "$rc" 0
    as_me 0 faststart film
  else
    echo "too fast to be killed: no journal"
  fi
  what="recovered by another who may write to it"
  check "$work/big" film
  equal "marks, $what" "$(getfattr --absolute-names -d film)" ""
  rm -f "$taken"
  no_leftovers .
done

# Root, in the directory of another user: a link of that user's in the place of a journal.
mkdir -m 755 "$work/theirs"
chown $other:$other "$work/theirs"
cd "$work/theirs"
install -m 644 -o $other -g $other "$work/original" film
echo "of root" >"$work/secret"
chmod 600 "$work/secret"
ln -s "$work/secret" .film.shunt-journal
chown -h $other:$other .film.shunt-journal
before=$(state film)
expect 6 faststart film
says 'symbolic link'
equal "a film beside a link" "$(state film)" "$before"
equal "where the link leads" "$(cat "$work/secret")" "of root"
rm .film.shunt-journal
