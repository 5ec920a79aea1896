#!/usr/bin/env bash
# A file that needs nothing done needs no right: it may be read-only, immutable, somebody else's,
# open for writing or locked elsewhere, on a read-only file system. Exit 0, and nothing is changed.
# shellcheck source=tests/cli/lib.sh
source "$(dirname "$0")/lib.sh"
need_command flock

generate already-front "$work/original"
chmod 755 "$work"
mkdir -m 755 "$work/at"
cd "$work/at"

# done_already WHAT COMMAND...: with COMMAND in front of the program.
done_already() {
  local what=$1 before arguments
  shift
  before=$(state film)
  for arguments in "" "--strategy copy" "--dry-run" "--recover" "--verify"; do
    rc=0
    # shellcheck disable=SC2086
    "$@" "$SHUNT" faststart $arguments film >"$work/out" 2>"$work/err" || rc=$?
    equal "exit of 'faststart $arguments', $what" "$rc" 0
    if [[ $arguments == --recover ]]; then says 'film: nothing to recover'; else says 'film: already'; fi
  done
  equal "the file, $what" "$(state film)" "$before"
  no_leftovers .
}

cp "$work/original" film
exec 9>>film
done_already "open for writing elsewhere"
exec 9>&-

# --recover of a file that is locked waits for whoever may be about to edit it.
exec 9<film
flock -x 9
expect 0 faststart film
expect 0 faststart -n film
exec 9<&-

chmod 444 film
done_already "read-only"

need_root
need_command setpriv chattr
install -m 755 "$SHUNT" "$work/shunt"
SHUNT=$work/shunt
chmod 644 film
done_already "somebody else's" setpriv --reuid=65534 --regid=65534 --clear-groups
for fs in ext4 xfs; do
  command -v "mkfs.$fs" >/dev/null || continue
  with_fs "$fs" 400M
  cp "$work/original" "$mnt/film"
  cd "$mnt"
  for flag in i a; do
    chattr "+$flag" film 2>/dev/null || continue
    done_already "chattr +$flag on $fs"
    chattr "-$flag" film
  done
  mount -o remount,ro "$mnt"
  done_already "a read-only $fs"
  mount -o remount,rw "$mnt"
done
cd "$work"
