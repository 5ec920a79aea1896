#!/usr/bin/env bash
# A full file system: another strategy, or exit 7 with the reason; never a lost byte or a leftover.
# shellcheck source=tests/cli/lib.sh
source "$(dirname "$0")/lib.sh"
need_command jq

# fill FREE: leaves about so many bytes free on $mnt. What was freed before may come back only with
# the next commit of the file system, so that it takes several rounds.
fill() {
  local round
  for round in 1M 4K 4K; do
    sync -f "$mnt"
    dd if=/dev/zero of="$mnt/filler" bs="$round" oflag=append conv=notrunc status=none 2>/dev/null || true
  done
  sync -f "$mnt"
  if (($1 > 0)); then
    truncate -s "-$1" "$mnt/filler"
    sync -f "$mnt"
  fi
}

big_file "$work/original" 24

# failed WHAT CODE: the last run failed with this status, and nothing has happened.
failed() {
  equal "exit: $1" "$rc" "$2"
  says 'space|No space'
  cmp -s "$work/original" "$mnt/file" || fail "$1: the file has changed"
  no_leftovers "$mnt"
}

for fs in tmpfs ext4; do
  with_fs "$fs" 64M
  cp "$work/original" "$mnt/file"
  sync -f "$mnt"

  # Room for moov, none for a second file.
  fill $((8 << 20))
  run faststart --strategy copy "$mnt/file"
  failed "copy on $fs" 7
  run faststart "$mnt/file" -o "$mnt/new"
  failed "-o on $fs" 7
  [[ ! -e $mnt/new ]] || fail "-o on $fs left a file"
  expect 0 --json faststart "$mnt/file"
  case $fs in
    tmpfs) equal "auto without room for a copy" "$(json '.files[0].strategy')" shift ;;
    ext4) equal "auto on ext4" "$(json '.files[0].strategy')" insert ;;
  esac
  what="auto on a nearly full $fs"
  check "$work/original" "$mnt/file"

  # None at all.
  rm "$mnt/filler"
  cp "$work/original" "$mnt/file"
  fill 0
  for strategy in auto insert shift copy; do
    [[ $fs/$strategy != tmpfs/insert ]] || continue
    run faststart --strategy "$strategy" "$mnt/file"
    failed "$strategy on a full $fs" 7
  done
  # With a little room again, all is well.
  truncate -s -$((4 << 20)) "$mnt/filler"
  sync -f "$mnt"
  expect 0 faststart "$mnt/file"
  what="after room was made on $fs"
  check "$work/original" "$mnt/file"
  # Nothing is left that would keep the space.
  no_leftovers "$mnt"
done
