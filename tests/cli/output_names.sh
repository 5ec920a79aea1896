#!/usr/bin/env bash
# What -o may be besides a file: nothing at all, descriptors by their names, a directory, there or
# not, a symbolic link; and that a file which only looks like one of ours is left alone.
# shellcheck source=tests/cli/lib.sh
source "$(dirname "$0")/lib.sh"

cd "$work"
generate plain plain
"$SHUNT" faststart -q plain -o front

# ---- the empty name ----
for command in faststart fetch; do
  expect 2 "$command" plain -o ''
  says 'empty'
  silent
  expect 2 "$command" plain --output=
  silent
done

# ---- descriptors ----
# Links like those of /dev, which a mistake would replace.
mkdir dev
ln -s /proc/self/fd/1 dev/stdout
ln -s /proc/self/fd dev/fd
ln -s stdout dev/link
links=$(ls -l dev)
for force in "" --force; do
  # Those of the machine never with --force: were this wrong, they would be gone.
  names="dev/stdout dev/fd/1 dev/link"
  [[ -n $force ]] || names+=" /dev/stdout /dev/fd/1"
  for name in $names; do
    for command in faststart fetch; do
      what="$command -o $name $force"
      expected=$([[ $command == faststart ]] && echo front || echo plain)
      # shellcheck disable=SC2086
      expect 0 "$command" plain -o "$name" $force
      same "$expected" out "$what"
      # It goes on where the descriptor stands.
      rc=0
      # shellcheck disable=SC2086
      { printf before && "$SHUNT" -q "$command" plain -o "$name" $force && printf after; } >appended || rc=$?
      same appended <(printf before && cat "$expected" && printf after) "$what behind what is there"
      # The document goes where the data does not.
      # shellcheck disable=SC2086
      expect 0 --json "$command" plain -o "$name" $force
      same "$expected" out "$what --json"
      jq -e .schema_version "$work/err" >/dev/null || fail "$what: no document on standard error"
    done
  done
done
for command in faststart fetch; do
  expected=$([[ $command == faststart ]] && echo front || echo plain)
  rc=0
  "$SHUNT" -q "$command" plain -o dev/fd/5 --force 5>third >out || rc=$?
  equal "exit of $command into descriptor 5" "$rc" 0
  same "$expected" third "$command into descriptor 5"
  silent
  rc=0
  "$SHUNT" "$command" plain -o dev/fd/5 --force 5<&- 2>err || rc=$?
  equal "exit of $command into a descriptor that is not open" "$rc" 7
  says 'dev/fd/5'
  rc=0
  "$SHUNT" "$command" plain -o dev/fd/5 --force 5</dev/null 2>err || rc=$?
  equal "exit of $command into a descriptor that is open for reading" "$rc" 7
done
equal "the links" "$(ls -l dev)" "$links"
expect 2 faststart --strategy insert plain -o /dev/stdout
silent

# ---- a directory that is not there ----
for command in faststart fetch; do
  expect 7 "$command" plain -o no/such/out
  says '^shunt: no/such/out: create: there is no directory no/such$'
  expect 7 "$command" plain -o plain/out
  says '^shunt: plain/out: create: plain is not a directory$'
done

# ---- what cannot be written is called what people called it ----
for command in "faststart plain" "fetch plain" "stream-sink --stdin"; do
  rc=0
  # shellcheck disable=SC2086
  (trap '' XFSZ && ulimit -f 1 && exec "$SHUNT" $command -o too-large <plain 2>err) || rc=$?
  equal "exit of $command under a limit on sizes" "$rc" 7
  says '^shunt: too-large: [a-z ]+: File too large'
  ! grep -q 'shunt-new' err || fail "$command: the hidden name is told: $(said)"
done

# ---- a directory, and symbolic links ----
mkdir folder
ln -s folder to-folder
echo old >target
ln -s target link
for command in "faststart plain" "fetch plain" "stream-sink --stdin"; do
  for name in folder to-folder; do
    for force in "" --force; do
      # shellcheck disable=SC2086
      expect 7 $command -o "$name" $force <plain
      says "^shunt: $name: create: Is a directory$"
    done
  done
  # shellcheck disable=SC2086
  expect 7 $command -o link <plain
  says 'link: create: the file exists'
  # shellcheck disable=SC2086
  expect 0 $command -o link --force <plain
  what="the file behind a symbolic link, after $command"
  equal "$what" "$(readlink link)" target
  same "$([[ $command == faststart* ]] && echo front || echo plain)" target "$what"
  echo old >target
done
equal "a folder that was named as the output" "$(ls -A folder)" ""

# ---- a file that is named like one of ours ----
echo mine >.got.shunt-new
before=$(state .got.shunt-new)
for command in faststart fetch; do
  expect 0 "$command" plain -o got
  expect 0 "$command" plain -o got --force
  equal "a file that is not ours, after $command" "$(state .got.shunt-new)" "$before"
  rm got
done
for strategy in copy shift auto; do
  cp plain got
  what="in place beside a file that is not ours"
  expect 0 faststart --strategy "$strategy" got
  check plain got
  equal "a file that is not ours, after $strategy" "$(state .got.shunt-new)" "$before"
done
equal "all that is hidden" "$(find . -name '.*shunt*')" ./.got.shunt-new
