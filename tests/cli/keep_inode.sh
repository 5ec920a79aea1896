#!/usr/bin/env bash
# Where extents can be shared, auto makes a new file; --keep-inode, a second name, and something that
# is mounted on the name make it change the file itself.
# shellcheck source=tests/cli/lib.sh
source "$(dirname "$0")/lib.sh"
with_fs xfs 2G
cd "$mnt"
generate plain original

fresh() {
  rm -f file second
  cp --reflink=never original file
  inode=$(stat -c %i file)
}
kept() { equal "inode, $1" "$(stat -c %i file)" "$inode"; }

fresh
exec 9<file
expect 0 faststart file
says 'moved \(reflink\)'
[[ $(stat -c %i file) != "$inode" ]] || fail "reflink kept the inode"
# Whoever had it open still has the old one.
same - original <&9
exec 9<&-
what=reflink
check original file

fresh
expect 0 faststart --keep-inode file
says 'moved \(insert\)'
kept --keep-inode
check original file
fresh
expect 0 faststart --dry-run --keep-inode file
tells '^  > insert'
! grep -q reflink "$work/out" || fail "--keep-inode considers a new file"
SHUNT_KEEP_INODE=1 expect 0 faststart file
kept SHUNT_KEEP_INODE
expect 2 faststart --keep-inode --strategy copy file
says 'keep-inode'

fresh
ln file second
expect 0 faststart file
says 'moved \(insert\)'
kept 'a second name'

# A file that is mounted by itself, as into a container.
fresh
touch mounted
mount --bind file mounted
mounts=("$mnt/mounted" "${mounts[@]}")
expect 0 faststart --dry-run mounted
tells '^    reflink +no .*mount point'
expect 0 faststart mounted
says 'moved \(insert\)'
kept 'a bind mount'
check original file
no_leftovers .
