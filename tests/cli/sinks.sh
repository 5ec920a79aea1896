# shellcheck shell=bash disable=SC2034,SC2154
# What the tests of stream-sink share, to be sourced after lib.sh.

unset SHUNT_WINDOW SHUNT_READ_WINDOW SHUNT_COMMIT SHUNT_MEMORY SHUNT_SPILL
# Where with_disk.sh makes its folders, and stream-sink what it spills.
export TMPDIR=$work
with_disk=$(realpath "$(dirname "${BASH_SOURCE[0]}")")/with_disk.sh

need_fuse() {
  need_command nbdfuse fusermount3
  [[ -c /dev/fuse && -r /dev/fuse && -w /dev/fuse ]] || skip "there is no FUSE here"
}

# need_loop: a loop device has to be had, for what mounts a disk.
need_loop() {
  need_root
  need_command losetup mount
  truncate -s 1M "$work/loop-probe"
  local device
  device=$(losetup --find --show "$work/loop-probe" 2>/dev/null) || skip "there are no loop devices here"
  losetup -d "$device"
}

# pours CODE FILE OPTION...: runs stream-sink, whose standard output is a pipe; what comes out of it
# has to be FILE. Afterwards `json` and `said` have what stream-sink said.
pours() {
  local code=$1 expected=$2 codes=(0 0)
  shift 2
  timeout 120 "$SHUNT" --json stream-sink "$@" 2>"$work/err" | cmp - "$expected" >"$work/cmp" 2>&1 ||
    codes=("${PIPESTATUS[@]}")
  ((codes[0] == code)) || fail "$*: exit ${codes[0]} instead of $code: $(said)"
  ((codes[1] == 0)) || fail "$*: $(cat "$work/cmp")"
  take_summary "$work/err"
}

# take_summary FILE: the last line of FILE is the summary. What is before it, the command said.
take_summary() {
  tail -n 1 "$1" >"$work/out"
  jq -e .schema_version "$work/out" >/dev/null || fail "no summary: $(said)"
}

# streamed MIB: the last run streamed, and never held more than so much.
streamed() {
  (($(json .peak_held) <= $1 << 20)) || fail "$what: $(json .peak_held) bytes were held, more than $1 MiB"
  equal "$what: streamed" "$(json .streamed)" true
  equal "$what: spilled" "$(json .spilled)" 0
}
