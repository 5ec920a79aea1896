#!/usr/bin/env bash
# with_disk.sh COMMAND: for --run of stream-sink: COMMAND finds the disk as the file $disk, through
# nbdfuse. What it writes is all at the server when this ends. The exit status is COMMAND's.
set -euo pipefail
: "${uri:?a program that stream-sink --run has started}"

dir=$(mktemp -d "${TMPDIR:-/tmp}/shunt-disk.XXXXXX")
export disk=$dir/disk
nbdfuse "$disk" "$uri" &
served=$!

clean_up() {
  local status=$?
  set +e
  fusermount3 -q -u "$dir" || fusermount3 -q -u -z "$dir"
  wait "$served"
  rmdir "$dir"
  exit "$status"
}
trap clean_up EXIT
trap 'exit 143' TERM INT

until [[ -e $disk ]]; do
  kill -0 "$served" 2>/dev/null || exit 77
  sleep 0.02
done
eval "$1"
# Not all programs do, and nbdfuse hands on nothing else that says that they are done.
sync "$disk"
