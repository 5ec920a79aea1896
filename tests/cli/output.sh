#!/usr/bin/env bash
# -o: a new file never takes the place of another unasked, appears under its name when it is whole,
# and a failure leaves nothing.
# shellcheck source=tests/cli/lib.sh
source "$(dirname "$0")/lib.sh"

cd "$work"
mkdir out.d
generate plain plain
cp plain original
before=$(state plain)

umask 027
expect 0 faststart plain -o out.d/new
check original out.d/new
equal "mode of a new file" "$(stat -c %a out.d/new)" 640
equal "the source" "$(state plain)" "$before"
umask 022

# Replacing
echo precious >out.d/there
chmod 604 out.d/there
expect 7 faststart plain -o out.d/there
says 'exists'
says '--force'
equal "content without --force" "$(cat out.d/there)" precious
expect 0 faststart plain -o out.d/there --force
check original out.d/there
equal "mode with --force" "$(stat -c %a out.d/there)" 604
if ((EUID == 0)); then
  chown 1234:2345 out.d/there
  expect 0 faststart plain -o out.d/there --force
  equal "owner with --force" "$(stat -c %u:%g out.d/there)" 1234:2345
fi

# A symbolic link to nowhere is no existing file, and is not written through by surprise.
ln -s nowhere out.d/dangling
run faststart plain -o out.d/dangling
if ((rc == 0)); then
  check original out.d/dangling
else
  [[ -L out.d/dangling ]] || fail "a refused dangling link is gone"
fi
rm -f out.d/dangling out.d/nowhere

# Failures leave nothing, and do not touch what is there.
rm -f out.d/*
generate no-moov no-moov
generate cmov-short cmov-short
for bad in no-moov cmov-short not-there; do
  run faststart "$bad" -o out.d/new
  ((rc != 0)) || fail "$bad -o: exit 0"
  equal "left by $bad" "$(ls -A out.d)" ""
  echo precious >out.d/there
  run faststart "$bad" -o out.d/there --force
  ((rc != 0)) || fail "$bad -o --force: exit 0"
  equal "replaced by $bad" "$(cat out.d/there)" precious
  rm out.d/there
done
big_file big 40
(
  ulimit -f 20000
  trap '' XFSZ
  run faststart big -o out.d/new
  [[ $rc == 7 ]]
) || fail "a file that may not grow: not exit 7"
equal "left by a file that may not grow" "$(ls -A out.d)" ""

# It appears whole: whoever looks sees nothing or all of it.
size=$(stat -c %s big)
"$SHUNT" faststart -q big -o out.d/new &
background+=($!)
for _ in {1..2000}; do
  if [[ -e out.d/new ]]; then
    # One look at the size right when the name is there.
    equal "size when it appears" "$(stat -c %s out.d/new)" "$size"
    break
  fi
done
wait "$!" || fail "-o out.d/new: exit $?"
check big out.d/new

# Devices and FIFOs are written to, never replaced.
expect 0 faststart plain -o /dev/null
[[ -c /dev/null ]] || fail "/dev/null is no device any more"
mkfifo out.d/fifo
cat out.d/fifo >from-fifo &
background+=($!)
expect 0 faststart plain -o out.d/fifo
wait "$!"
[[ -p out.d/fifo ]] || fail "the FIFO was replaced"
check original from-fifo

# What is wrong with the source is found before anybody waits for the reader of a FIFO.
rc=0
timeout 60 "$SHUNT" faststart missing -o out.d/fifo 2>err </dev/null || rc=$?
equal "exit, no source, nobody reads" "$rc" 7
rc=0
timeout 60 "$SHUNT" faststart --strategy shift plain -o out.d/fifo 2>err </dev/null || rc=$?
equal "exit, a strategy that no stream takes" "$rc" 2

# A terminal gets no video, by whatever name.
on_terminal 80 "$SHUNT" faststart plain -o /dev/tty
equal "exit, onto a terminal" "$rc" 2
grep -q 'not written to a terminal' terminal || fail "onto a terminal: $(head -c 300 terminal)"

# The original stays as it is, so that it keeps its inode whatever becomes of the result.
SHUNT_KEEP_INODE=1 run faststart plain -o out.d/kept
equal "exit with SHUNT_KEEP_INODE" "$rc" 0
check original out.d/kept

# The extent-sharing and the copying way on request.
expect 0 faststart --strategy copy plain -o out.d/copied
check original out.d/copied
no_leftovers out.d
equal "the source" "$(state plain)" "$before"
