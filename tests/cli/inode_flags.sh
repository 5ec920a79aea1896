#!/usr/bin/env bash
# What takes the place of a file keeps what chattr(1) shows, the project and the security label as
# well; of every command that replaces files.
# shellcheck source=tests/cli/lib.sh
source "$(dirname "$0")/lib.sh"
need_root
need_command chattr lsattr setfattr getfattr setfacl getfacl

generate plain "$work/original"
head -c 100000 /dev/urandom >"$work/noise"

# kept_of FILE: all that has to stay. The e of ext4 is the file system's own.
kept_of() {
  stat -c '%f %u:%g' "$1"
  lsattr -p "$1" 2>/dev/null | awk '{ gsub("e", "-", $2); print $1, $2 }'
  lsattr "$1" | awk '{ gsub("e", "-", $1); print $1 }'
  getfattr --absolute-names -d -m - "$1" | grep -v '^#' || true
  getfacl -cp "$1"
}

# prepare FILE
prepare() {
  rm -f "$1"
  : >"$1"
  local flag
  for flag in $flags; do chattr "+$flag" "$1" || fail "no chattr +$flag on $fs"; done
  [[ -z $project ]] || chattr -p "$project" "$1" || fail "no project on $fs"
  cat "$work/original" >"$1"
  chown 1234:2345 "$1"
  chmod 640 "$1"
  setfattr -n user.comment -v kept "$1"
  setfattr -n security.shunt -v label "$1" 2>/dev/null || true
  setfacl -m u:4321:rw "$1"
}

# replaced WHAT COMMAND...: it puts something else in the place of "file".
replaced() {
  local what="$1 on $fs" before inode
  shift
  prepare "$mnt/file"
  before=$(kept_of "$mnt/file")
  inode=$(stat -c %i "$mnt/file")
  rc=0
  timeout 60 "$@" >"$work/out" 2>"$work/err" || rc=$?
  ((rc == 0)) || fail "$what: exit $rc: $(said)"
  [[ $(stat -c %i "$mnt/file") != "$inode" ]] || fail "$what: it is the same file"
  equal "what is kept, $what" "$(kept_of "$mnt/file")" "$before"
  no_leftovers "$mnt"
}

mount_fs() {
  fs=$1
  mnt=$work/$fs
  project=
  command -v "mkfs.$fs" >/dev/null || return 1
  mkdir "$mnt"
  truncate -s 400M "$work/$fs.img"
  case $fs in
    ext4)
      mkfs.ext4 -q -O project,quota -I 256 "$work/$fs.img"
      flags="d A S"
      project=77
      ;;
    xfs)
      mkfs.xfs -q -m reflink=1 "$work/$fs.img"
      flags="d A"
      project=77
      ;;
    btrfs)
      mkfs.btrfs -q "$work/$fs.img" >/dev/null 2>&1
      flags="d A C"
      ;;
  esac
  mount -o loop "$work/$fs.img" "$mnt" 2>/dev/null || {
    # A kernel without project quotas
    [[ $fs == ext4 ]] || return 1
    mkfs.ext4 -q -F "$work/$fs.img"
    project=
    mount -o loop "$work/$fs.img" "$mnt" || return 1
  }
  mounts=("$mnt" "${mounts[@]}")
}

tried=0
for fs in ext4 xfs btrfs; do
  mount_fs "$fs" || continue
  tried=1
  replaced "copy" "$SHUNT" faststart --strategy copy "$mnt/file"
  check "$work/original" "$mnt/file"
  if [[ $fs != ext4 ]]; then
    replaced "reflink" "$SHUNT" faststart --strategy reflink "$mnt/file"
    check "$work/original" "$mnt/file"
  fi
  replaced "faststart -o --force" "$SHUNT" faststart --force "$work/original" -o "$mnt/file"
  check "$work/original" "$mnt/file"
  replaced "faststart -o onto the source" "$SHUNT" faststart --force "$mnt/file" -o "$mnt/file"
  check "$work/original" "$mnt/file"
  replaced "fetch -o --force" "$SHUNT" fetch --force "$work/noise" -o "$mnt/file"
  same "$work/noise" "$mnt/file"
  replaced "stream-sink -o --force" "$SHUNT" stream-sink --stdin --force -o "$mnt/file" <"$work/noise"
  same "$work/noise" "$mnt/file"

  # A folder that gives its files an ACL gives none to one that had none.
  mkdir "$mnt/acl"
  setfacl -d -m u:4321:rwx "$mnt/acl"
  cp "$work/original" "$mnt/acl/file"
  setfacl -b "$mnt/acl/file"
  chmod 600 "$mnt/acl/file"
  before=$(getfacl -cp "$mnt/acl/file")
  expect 0 faststart --strategy copy "$mnt/acl/file"
  equal "the ACL in a folder with a default one on $fs" "$(getfacl -cp "$mnt/acl/file")" "$before"
done
((tried)) || skip "nothing can be mounted here"
