#!/usr/bin/env bash
# What --dry-run says is what the run does: over circumstances, strategies and users, both end with
# the same exit status, and a dry run changes nothing.
# shellcheck source=tests/cli/lib.sh
source "$(dirname "$0")/lib.sh"
need_root
need_command setpriv chattr flock

generate plain "$work/original"
big_file "$work/big" 3
chmod 755 "$work"
install -m 755 "$SHUNT" "$work/shunt"
program=$work/shunt
# --verify finds nothing to compare in these, or a difference.
odd=(empty-mdat tfhd-base sidx-first moof-before-moov stsc-bad-description)
for name in "${odd[@]}"; do generate "$name" "$work/$name"; done
nobody=(setpriv --reuid=65534 --regid=65534 --clear-groups)
seen=
# fresh OWNER MODE [FILE]: the folder d with a file in it.
fresh() {
  chattr -ia "$mnt/d" 2>/dev/null || true
  [[ ! -d $mnt/d ]] || find "$mnt/d" -exec chattr -ia {} + 2>/dev/null || true
  rm -rf "$mnt/d"
  mkdir -m 777 "$mnt/d"
  install -m "$2" -o "$1" -g "$1" "${3:-$work/original}" "$mnt/d/film"
}

all_of() { (cd "$mnt/d" && ls -lA --time-style=full-iso && sha256sum film); }

# alike WHAT [USER...]: the file as it is now, by each strategy.
alike() {
  local what="$1 on $fs" before planned
  shift
  before=$(all_of)
  planned=0
  timeout 60 "$@" "$program" faststart -n --strategy "$strategy" "${arguments[@]}" "$mnt/d/film" \
    >"$work/plan" 2>"$work/plan-err" || planned=$?
  equal "a dry run, $what, $strategy" "$(all_of)" "$before"
  rc=0
  timeout 60 "$@" "$program" faststart --strategy "$strategy" "${arguments[@]}" "$mnt/d/film" \
    >"$work/out" 2>"$work/err" || rc=$?
  ((rc == planned)) || fail "$what, $strategy ${arguments[*]}: planned $planned, and it ends with $rc: $(said) plan: $(head -c 300 "$work/plan-err")"
  if ((planned == 0)); then
    grep -q '^  > ' "$work/plan" || fail "no plan, $what, $strategy"
    if ((${#arguments[@]} == 0)) || [[ $strategy == auto ]]; then
      equal "the strategy, $what, $strategy" "$(sed -n 's/^  > \([a-z]*\) .*/\1/p' "$work/plan")" \
        "$(sed -n 's/.*: moved (\([a-z]*\)).*/\1/p' "$work/err")"
    fi
  elif grep -q '^  > ' "$work/plan"; then
    fail "a plan that is not followed, $what, $strategy"
  fi
  seen+=" $rc"
}

arguments=()
circumstances() {
  fresh 0 644 && alike "as it is"
  fresh 65534 644 && alike "one's own" "${nobody[@]}"
  fresh 65534 444 && alike "one's own, read-only" "${nobody[@]}"
  fresh 0 644 && alike "somebody else's" "${nobody[@]}"
  fresh 0 666 && alike "somebody else's, for all" "${nobody[@]}"
  fresh 0 666 && chmod 1777 "$mnt/d" && alike "somebody else's, sticky" "${nobody[@]}"
  fresh 65534 644 && chgrp 4321 "$mnt/d/film" && alike "of a group of others" "${nobody[@]}"
  fresh 0 644 && ln "$mnt/d/film" "$mnt/d/second" && alike "with two names"
  for flag in i a; do
    fresh 0 644
    chattr "+$flag" "$mnt/d/film" 2>/dev/null || continue
    alike "chattr +$flag"
    grep -q "chattr -$flag" "$work/plan-err" || fail "no hint for chattr +$flag: $(cat "$work/plan-err")"
    says "chattr -$flag"
    fresh 0 644
    chattr "+$flag" "$mnt/d"
    alike "chattr +$flag of the folder"
  done
  fresh 65534 644 && chmod 555 "$mnt/d" && alike "a folder that is read-only" "${nobody[@]}"
  fresh 0 644
  exec 9>>"$mnt/d/film"
  alike "open for writing"
  exec 9>&-
  fresh 0 644
  exec 9<"$mnt/d/film"
  flock -x 9 && alike "locked"
  flock -s 9 && alike "read by another"
  exec 9<&-
  fresh 0 644
  mount -o remount,ro "$mnt"
  alike "a read-only file system"
  mount -o remount,rw "$mnt"
  fresh 65534 644 && chmod 333 "$mnt/d" && alike "a folder that cannot be listed" "${nobody[@]}"
  ((rc == 0)) || fail "a folder that cannot be listed on $fs, $strategy: $(said)"
  fresh 0 644
  mount --bind "$mnt/d/film" "$mnt/d/film" && alike "a bind mount" && umount "$mnt/d/film"
  fresh 0 644
  if chattr -p 7 "$mnt/d/film" 2>/dev/null && chattr -p 9 "$mnt/d" 2>/dev/null && chattr +P "$mnt/d" 2>/dev/null; then
    alike "a project of its own"
  fi
  # From below the size of the file to above what an insertion makes of it
  local limit size=$(($(stat -c %s "$work/big") / 1024))
  for limit in $((size - 1)) $((size + 1)) $((size + 3)) $((size + 9)) $((size + 300)); do
    fresh 0 644 "$work/big"
    alike "under ulimit -f $limit" bash -c 'ulimit -f "$0" && exec "$@"' "$limit"
  done
  arguments=(--verify)
  program=$SHUNT  # where libavformat is found
  for name in "${odd[@]}"; do
    fresh 0 644 "$work/$name"
    alike "$name"
  done
  program=$work/shunt
  arguments=()
}

into_files() {
  local out=$mnt/d/out
  arguments=(-o "$out")
  fresh 0 644 && alike "into a new file"
  fresh 0 644 && touch "$out" && alike "onto a file without --force"
  fresh 0 644 && mkdir "$out" && alike "onto a folder"
  fresh 65534 644 && chmod 555 "$mnt/d" && alike "into a folder that is read-only" "${nobody[@]}"
  equal "what a dry run and the run say, $fs" "$(cat "$work/plan-err")" "$(cat "$work/err")"
  fresh 0 644 && chattr +i "$mnt/d" 2>/dev/null && alike "into an immutable folder"
  fresh 65534 644 && chmod 333 "$mnt/d" && alike "into a folder that cannot be listed" "${nobody[@]}"
  ((rc == 0)) || [[ $strategy == shift ]] || fail "into a folder that cannot be listed on $fs, $strategy: $(said)"
  arguments=(-o "$mnt/d/none/out")
  fresh 0 644 && alike "into no folder"
  arguments=(--verify -o "$out")
  program=$SHUNT
  for name in "${odd[@]}"; do
    fresh 0 644 "$work/$name"
    alike "$name into a file"
  done
  program=$work/shunt
  arguments=(--force -o "$out")
  fresh 0 644 && touch "$out" && alike "onto a file"
  fresh 0 644 && touch "$out" && chattr +i "$out" 2>/dev/null && alike "onto an immutable file"
  fresh 65534 644 && touch "$out" && chmod 1777 "$mnt/d" && alike "onto somebody else's" "${nobody[@]}"
  fresh 65534 644 && touch "$out" && alike "onto somebody else's, in an open folder" "${nobody[@]}"
  arguments=()
}

for fs in ext4 xfs btrfs; do
  command -v "mkfs.$fs" >/dev/null || continue
  with_fs "$fs" 400M
  case $fs in
    ext4) strategies="auto copy shift" ;;
    xfs) strategies="auto insert reflink" ;;
    btrfs) strategies="auto reflink" ;;
  esac
  ((!full)) || strategies="auto insert reflink copy shift"
  for strategy in $strategies; do circumstances; done
  for strategy in auto copy shift; do [[ $strategies != *$strategy* ]] || into_files; done
  fresh 0 644
done

# A full disk
fs=ext4
mkdir "$work/small"
mnt=$work/small
truncate -s 8M "$work/small.img"
mkfs.ext4 -q -m 0 -O ^has_journal "$work/small.img"
mount -o loop "$work/small.img" "$mnt" || skip "no loop mounts"
mounts=("$mnt" "${mounts[@]}")
for left in 0 64 2000; do
  for strategy in auto insert copy shift; do
    fresh 0 644 "$work/big"
    rm -f "$mnt/fill"
    free=$(df --output=avail -k "$mnt" | tail -1)
    ((free <= left)) || fallocate -l "$((free - left))K" "$mnt/fill"
    alike "with $left KiB left"
    rm -f "$mnt/fill"
  done
done
# Into a file there, also of what has moov in front and is only copied.
rm -rf "$mnt/d"
"$work/shunt" -q faststart "$work/big" -o "$work/front"
fallocate -l "$(($(df --output=avail -k "$mnt" | tail -1) - 64))K" "$mnt/fill"
for source in big front; do
  for dry in -n ''; do
    # shellcheck disable=SC2086
    expect 7 faststart $dry "$work/$source" -o "$mnt/out"
    says "^shunt: $mnt/out: write: "
  done
done
for code in 0 2 7 8; do
  [[ " $seen " == *" $code "* ]] || fail "no circumstance ends with $code:$seen"
done
