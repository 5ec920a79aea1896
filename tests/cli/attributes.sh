#!/usr/bin/env bash
# What belongs to a file stays with it: mode, owner, time of access, extended attributes, ACLs, and
# its names. On every file system that has the strategy.
# shellcheck source=tests/cli/lib.sh
source "$(dirname "$0")/lib.sh"
need_root
need_command setfattr getfattr setfacl getfacl

generate plain "$work/original"

# attributes_of FILE: all that has to stay.
attributes_of() {
  stat -c 'mode %f owner %u:%g access %x' "$1"
  getfattr --absolute-names -d -m 'user\.' "$1" | grep -v '^#' || true
  getfacl -cp "$1"
}

# prepare FILE: a file with something of everything.
prepare() {
  rm -f "$1"
  cp "$work/original" "$1"
  chmod 2640 "$1"
  chown 1234:2345 "$1"
  chmod 2640 "$1"
  # tmpfs has no user attributes before Linux 6.6.
  if [[ $fs != tmpfs ]]; then
    setfattr -n user.comment -v 'kept' "$1"
    setfattr -n user.binary -v 0x00ff00 "$1"
  fi
  setfacl -m u:4321:rw,g:5432:r "$1"
  touch -a -d '2001-02-03 04:05:06.789012345' "$1"
  touch -m -d '2002-03-04 05:06:07' "$1"
}

test_strategy() {
  local strategy=$1 file=$mnt/file before inode
  what="$strategy on $fs"
  prepare "$file"
  before=$(attributes_of "$file")
  inode=$(stat -c %i "$file")
  expect 0 faststart --strategy "$strategy" "$file"
  equal "attributes after $what" "$(attributes_of "$file")" "$before"
  check "$work/original" "$file"
  [[ $(stat -c %Y "$file") -gt 1100000000 ]] || fail "the time of modification is the old one after $what"
  case $strategy in
    insert | shift | reserve) equal "the inode after $what" "$(stat -c %i "$file")" "$inode" ;;
  esac

  # Comparing packets reads old and new.
  prepare "$file"
  expect 0 faststart --strategy "$strategy" --verify "$file"
  equal "attributes after $what, verified" "$(attributes_of "$file")" "$before"

  # A symbolic link stays one.
  prepare "$file"
  before=$(attributes_of "$file")
  ln -sfn file "$mnt/link"
  expect 0 faststart --strategy "$strategy" "$mnt/link"
  [[ -L $mnt/link ]] || fail "the symbolic link is gone after $what"
  equal "attributes through a link after $what" "$(attributes_of "$file")" "$before"
  check "$work/original" "$file"

  # Hard links: in place they keep seeing the same file. Only who asks for a new file parts them.
  prepare "$file"
  ln -f "$file" "$mnt/other"
  expect 0 faststart --strategy "$strategy" "$file"
  check "$work/original" "$file"
  case $strategy in
    insert | shift) same "$file" "$mnt/other" "hard link after $what" ;;
    *) [[ $(stat -c %h "$mnt/other") == 2 ]] || same "$work/original" "$mnt/other" "the other name after $what" ;;
  esac
  rm -f "$mnt/other" "$mnt/link" "$file"
  no_leftovers "$mnt"
}

test_auto_with_hard_links() {
  local file=$mnt/file
  what="auto with hard links on $fs"
  prepare "$file"
  ln "$file" "$mnt/other"
  expect 0 faststart "$file"
  equal "names after $what" "$(stat -c %h "$file")" 2
  same "$file" "$mnt/other" "$what"
  check "$work/original" "$file"
  # Both names on one command line: the second finds it done.
  prepare "$file"
  ln -f "$file" "$mnt/other"
  ln -sfn file "$mnt/link"
  expect 0 faststart --jobs 4 "$file" "$mnt/other" "$mnt/link"
  equal "moved once" "$(grep -c ': moved' "$work/err")" 1
  equal "already twice" "$(grep -c ': already' "$work/err")" 2
  check "$work/original" "$file"
  rm -f "$file" "$mnt/other" "$mnt/link"
}

for fs in ext4 xfs btrfs tmpfs; do
  command -v "mkfs.$fs" >/dev/null || [[ $fs == tmpfs ]] || continue
  with_fs "$fs" 1G
  case $fs in
    ext4) strategies="insert copy shift" ;;
    xfs) strategies="insert reflink copy shift" ;;
    btrfs) strategies="reflink copy shift" ;;
    tmpfs) strategies="copy shift" ;;
  esac
  for strategy in $strategies; do test_strategy "$strategy"; done
  test_auto_with_hard_links
done

# reserve, and the set-user-ID bit, which a change of owner would clear.
fs=tmpfs
mnt=$work
generate reserve-roomy "$work/file"
chown 1234:2345 "$work/file"
chmod 4711 "$work/file"
expect 0 faststart --strategy reserve "$work/file"
equal "mode after reserve" "$(stat -c '%a %u:%g' "$work/file")" "4711 1234:2345"
cp "$work/original" "$work/file"
chown 1234:2345 "$work/file"
chmod 4711 "$work/file"
expect 0 faststart --strategy copy "$work/file"
equal "mode after copy" "$(stat -c '%a %u:%g' "$work/file")" "4711 1234:2345"

# An ordinary user, who cannot give the new file to its owner: auto stays in place.
if command -v setpriv >/dev/null; then
  chmod 755 "$work"
  mkdir -m 777 "$work/public"
  cp "$SHUNT" "$work/public/shunt"
  cp "$work/original" "$work/public/file"
  chmod 666 "$work/public/file"
  rc=0
  setpriv --reuid=65534 --regid=65534 --clear-groups "$work/public/shunt" faststart "$work/public/file" \
    2>"$work/err" || rc=$?
  equal "exit for somebody else's file" "$rc" 0
  equal "owner of somebody else's file" "$(stat -c %u:%g "$work/public/file")" 0:0
  what="somebody else's file"
  check "$work/original" "$work/public/file"
fi
