# shellcheck shell=bash
# What every benchmark uses: a working folder and file systems that go away by themselves, timed
# runs, medians, and the table with its JSON. To be sourced after `set -euo pipefail`.

# A comma as decimal point would end the arithmetic below.
export LC_ALL=C

bench_work=
bench_mounts=()
bench_loops=()

die() {
  echo "scripts/bench: $*" >&2
  exit 1
}

note() { printf '%s\n' "$*" >&2; }

bench_cleanup() {
  local item
  for item in "${bench_mounts[@]}"; do umount "$item" || true; done
  for item in "${bench_loops[@]}"; do losetup --detach "$item" || true; done
  if [[ -n $bench_work ]]; then rm -rf --one-file-system "$bench_work"; fi
}

# bench_begin DIR: makes the working folder in DIR; it goes away at the end, also on a signal.
bench_begin() {
  bench_work=$(mktemp -d "$1/shunt-bench.XXXXXX")
  mkdir "$bench_work/times" "$bench_work/rss" "$bench_work/out"
  : >"$bench_work/rows"
  trap bench_cleanup EXIT
  trap 'exit 130' INT
  trap 'exit 143' TERM
}

# mount_image KIND SIZE: a new file system on a loop device. Sets mount_point and loop_device.
mount_image() {
  local kind=$1 size=$2 image=$bench_work/$1.img
  mount_point=$bench_work/$kind
  mkdir "$mount_point"
  truncate -s "$size" "$image"
  case $kind in
    ext4) mkfs.ext4 -q -F "$image" ;;
    xfs) mkfs.xfs -q -m reflink=1 "$image" ;;
    btrfs) mkfs.btrfs -q "$image" ;;
    *) die "no such file system: $kind" ;;
  esac
  # Direct, so that the image is not cached a second time, below the file system under test.
  loop_device=$(losetup --find --show --direct-io=on "$image" 2>/dev/null ||
    losetup --find --show "$image")
  bench_loops=("$loop_device" "${bench_loops[@]}")
  mount "$loop_device" "$mount_point"
  bench_mounts=("$mount_point" "${bench_mounts[@]}")
}

# unmount_image KIND: gives its space back before the end.
unmount_image() {
  umount "$mount_point" && losetup --detach "$loop_device"
  bench_mounts=("${bench_mounts[@]:1}")
  bench_loops=("${bench_loops[@]:1}")
  rm -f "$bench_work/$1.img"
}

# cold FILE...: everything on disk and nothing of it in the page cache. Without root only FILE...
cold() {
  local file
  sync
  if [[ $EUID -eq 0 ]]; then
    echo 3 >/proc/sys/vm/drop_caches
  else
    for file in "$@"; do dd if="$file" iflag=nocache count=0 status=none; done
  fi
}

# measure NAME COMMAND...: one timed run: adds its seconds to times/NAME and its peak memory in KiB
# to rss/NAME; what it prints goes to out/NAME. GNU time in between costs a millisecond, everyone's.
measure() {
  local name=$1 start end
  shift
  start=$EPOCHREALTIME
  /usr/bin/time -o "$bench_work/rss.last" -f %M "$@" >"$bench_work/out/$name" \
    2>"$bench_work/errors" </dev/null || {
    cat "$bench_work/errors" >&2
    die "failed: $*"
  }
  end=$EPOCHREALTIME
  awk -v a="$start" -v b="$end" 'BEGIN { printf "%.6f\n", b - a }' >>"$bench_work/times/$name"
  tail -n 1 "$bench_work/rss.last" >>"$bench_work/rss/$name"
}

# median NAME: of its seconds.
median() {
  sort -g "$bench_work/times/$1" | awk '
    { v[NR] = $1 }
    END { printf "%.6f\n", NR % 2 ? v[(NR + 1) / 2] : (v[NR / 2] + v[NR / 2 + 1]) / 2 }'
}

# peak NAME: its largest memory, in MiB.
peak() { sort -g "$bench_work/rss/$1" | awk 'END { printf "%.1f\n", $1 / 1024 }'; }

# The parentheses keep awk from taking a comparison for a redirection.
calculate() { awk "BEGIN { printf \"%.6g\n\", ($*) }"; }

# row WHAT WHERE VALUE UNIT [max|min TARGET]: one line of the table.
row() {
  jq -cn --arg what "$1" --arg where "$2" --arg value "$3" --arg unit "$4" --arg side "${5-}" \
    --arg target "${6-}" '
    { what: $what, where: $where, value: ($value | tonumber), unit: $unit }
    + if $side == "" then { target: null, met: null }
      else
        { target: (if $side == "max" then "<= " else ">= " end + $target),
          met: (if $side == "max" then ($value | tonumber) <= ($target | tonumber)
                else ($value | tonumber) >= ($target | tonumber) end) }
      end' >>"$bench_work/rows"
}

# print_table: all rows so far, for people.
print_table() {
  jq -r '
    def round3: if . >= 100 then round else . * 1000 | round | . / 1000 end;
    [ .what, .where, "\(.value | round3) \(.unit)",
      (.target // "-"), (if .met == null then "-" elif .met then "yes" else "NO" end) ] | @tsv
    ' "$bench_work/rows" |
    column -t -s $'\t' -N 'what,where,measured,target,met'
}

# print_json BENCHMARK: all rows and each single time, as one document.
print_json() {
  local file
  for file in "$bench_work"/times/*; do
    jq -n --arg name "$(basename "$file")" --slurpfile seconds "$file" '{ ($name): $seconds }'
  done | jq -s --arg benchmark "$1" --slurpfile rows "$bench_work/rows" \
    '{ schema_version: 1, benchmark: $benchmark, rows: $rows, seconds: add }'
}

# all_met: no row misses its target.
all_met() { jq -se 'all(.[]; .met != false)' "$bench_work/rows" >/dev/null; }
