#!/usr/bin/env bash
# Standard input and output: what has moov in front passes through as it comes, all else is spooled
# to a file without a name.
# shellcheck source=tests/cli/lib.sh
source "$(dirname "$0")/lib.sh"

cd "$work"
mkdir spool
export TMPDIR=$work/spool
for name in plain already-front already-front-free fragmented mdat-truncated no-moov; do
  generate "$name" "$name"
done

# pipe FILE: through shunt, into the file `out`.
pipe() {
  rc=0
  # shellcheck disable=SC2002
  cat "$1" | timeout 60 "$SHUNT" faststart - -o - >out 2>err || rc=$?
}

for name in already-front already-front-free fragmented; do
  pipe "$name"
  equal "exit for $name" "$rc" 0
  same "$name" out "passed through"
  says '^-: in front already: copied'
done
pipe plain
equal "exit for plain" "$rc" 0
check plain out
says '^-: moved'
equal "left in TMPDIR" "$(ls -A spool)" ""

# What passes through goes on before the end of the input is there.
mkfifo in
exec 8<>in
"$SHUNT" faststart - -o - <in >slow 2>/dev/null 8>&- &
background+=($!)
reader=$!
size=$(stat -c %s already-front)
head -c $((size - 100)) already-front >&8
for _ in {1..250}; do
  (($(stat -c %s slow) > size / 2)) && break
  sleep 0.02
done
(($(stat -c %s slow) > size / 2)) || fail "nothing comes out before the input has ended"
tail -c 100 already-front >&8
exec 8>&-
wait "$reader" || fail "a slow pipe: exit $?"
same already-front slow

# Constant memory, without a spool: 300 MiB behind moov, to a TMPDIR that cannot take them.
if [[ $sanitized != 1 && -x /usr/bin/time ]]; then
  {
    head -c -8 already-front
    tail -c 8 already-front
    printf '\x12\xc0\x00\x00mdat' # 300 MiB
    head -c $((0x12c00000 - 8)) /dev/zero
  } >long
  rc=0
  # shellcheck disable=SC2002
  cat long | TMPDIR=/nonexistent /usr/bin/time -f %M -o rss "$SHUNT" faststart - -o - 2>err | cmp -s - long || rc=$?
  equal "300 MiB passed through" "$rc" 0
  (($(tail -1 rss) <= 32 * 1024)) || fail "passing through takes $(tail -1 rss) KiB"
  rm long
  # Spooling does not hold the bytes in memory either, and leaves nothing.
  big_file big 100
  rc=0
  # shellcheck disable=SC2002
  cat big | /usr/bin/time -f %M -o rss "$SHUNT" faststart - -o - 2>err >out || rc=$?
  equal "100 MiB spooled" "$rc" 0
  check big out
  (($(tail -1 rss) <= 32 * 1024)) || fail "spooling takes $(tail -1 rss) KiB"
  equal "left in TMPDIR" "$(ls -A spool)" ""
  rc=0
  # shellcheck disable=SC2002
  cat big | TMPDIR=/nonexistent "$SHUNT" faststart - -o - 2>err >out || rc=$?
  equal "a TMPDIR that is not there" "$rc" 7
  silent
  says '/nonexistent'
fi

# Truncated input
for name in mdat-truncated no-moov; do
  pipe "$name"
  equal "exit for $name" "$rc" 4
  says '^shunt: -: '
  silent
done
for cut in 1 4 7 8 20 "$(($(stat -c %s plain) / 2))" "$(($(stat -c %s plain) - 1))"; do
  head -c "$cut" plain >short
  pipe short
  equal "exit for plain cut to $cut bytes" "$rc" 4
  silent
done
for less in 1 100 2000; do
  head -c -"$less" already-front >short
  pipe short
  equal "exit for already-front less $less bytes" "$rc" 4
done
: >short
pipe short
equal "exit for no input at all" "$rc" 4

# Standard input into a file, a file to standard output, and -o - next to a dry run.
rc=0
"$SHUNT" faststart - -o new <plain 2>err || rc=$?
equal "stdin to a file" "$rc" 0
check plain new
expect 0 faststart plain -o -
check plain out
expect 0 faststart --dry-run plain -o -
tells 'strategies'

generate already-front front
rc=0
"$SHUNT" faststart -n - -o - <front >out 2>err || rc=$?
equal "a dry run of a pipe" "$rc" 0
[[ ! -s out ]] || ! grep -q ftyp out || fail "a dry run passed its input on"
rc=0
"$SHUNT" faststart --strategy insert - -o - <front >out 2>err || rc=$?
equal "a strategy that no pipe has" "$rc" 2

# Standard output that is the input itself would eat it.
cp plain itself
rc=0
"$SHUNT" faststart itself -o - 1<>itself 2>err || rc=$?
equal "the input as output" "$rc" 2
same itself plain

# Never to a terminal.
if command -v script >/dev/null; then
  rc=0
  script -qec "'$SHUNT' faststart plain -o -" /dev/null </dev/null >typed 2>&1 || rc=$?
  equal "exit on a terminal" "$rc" 2
  grep -q terminal typed || fail "a terminal is refused without a word: $(head -c 200 typed)"
  ! grep -q ftyp typed || fail "bytes were written to the terminal"
fi

# A reader that goes away is a failure, and no signal's.
big_file big 8
set +o pipefail
{
  rc=0
  "$SHUNT" faststart big -o - 2>err || rc=$?
  echo "$rc" >status
} | head -c 1000 >/dev/null
set -o pipefail
closed=$(cat status)
[[ $closed != 0 && $closed -lt 128 ]] || fail "a closed pipe: exit $closed"
says 'Broken pipe'

# With no descriptor left for it, standard input is not waited for. What a sanitizer has open is its
# own matter.
if [[ $sanitized != 1 ]]; then
  for few in 4 5 6 7 8; do
    for words in "stream-sink --stdin -o never" "fetch - -o never" "faststart - -o never" "cache-warm --from - --cache-dir cache"; do
      rc=0
      # shellcheck disable=SC2086
      (ulimit -n "$few" && exec timeout 60 "$SHUNT" $words) <plain >out 2>err || rc=$?
      case $rc in
        0) rm -f never ;;
        127) grep -q 'loading shared libraries' err || fail "exit 127: $(said)" ;;
        2 | 4 | 7) [[ ! -e never ]] || fail "exit $rc of $words with $few descriptors, and an output" ;;
        *) fail "exit $rc of $words with $few descriptors: $(said)" ;;
      esac
      no_leftovers .
    done
  done
fi

# Only standard input may be a pipe: a source that is one is told so, whatever it is called.
mkfifo pipe
for words in "faststart" "faststart --check" "faststart -o never" "fetch -o never"; do
  # shellcheck disable=SC2086
  expect 7 $words pipe
  says '^shunt: pipe: open: not a regular file$'
  says '^  to read a pipe, pass it as standard input, with -$'
  # shellcheck disable=SC2086
  expect 7 $words /dev/stdin < <(cat plain)
  says 'not a regular file$'
  says 'as standard input, with -$'
  # shellcheck disable=SC2086
  expect 7 $words .
  says '^shunt: .: open: Is a directory$'
  [[ $(wc -l <err) == 1 ]] || fail "a hint for a folder: $(said)"
done
