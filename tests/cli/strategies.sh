#!/usr/bin/env bash
# strategies.sh FS: every real and every generated file by every way to move it, on one file system:
# all else stays, packets included; a second run has nothing to do.
#
# Unless SHUNT_TEST_FULL is 1, each file takes some of the ways, others on each file system; fewer
# under the sanitizers, but each file on at least one file system, and each way with many files.
# shellcheck source=tests/cli/lib.sh
source "$(dirname "$0")/lib.sh"

fs=${1:?the file system}
with_fs "$fs"
case $fs in
  ext4) in_place="auto insert copy shift" turn=0 ;;
  xfs) in_place="auto insert reflink copy shift" turn=1 ;;
  btrfs) in_place="auto reflink copy shift" turn=2 ;;
  tmpfs) in_place="auto copy shift" turn=3 ;;
esac
read -ra ways <<<"$in_place out stdout stdin pipe"
stride=5 enough=60
if [[ $sanitized == 1 ]]; then stride=10 enough=30; fi

mkdir "$work/original" "$mnt/at"
"$MP4GEN" --all "$work/original"
originals=()
for file in "$work/original"/*.mp4; do
  name=$(basename "$file" .mp4)
  [[ $("$MP4GEN" --expect "$name") == refuse ]] || originals+=("$file")
done
if [[ -d $corpus ]]; then
  for file in "$corpus"/*; do
    case ${file,,} in *.mp4 | *.mov | *.m4a | *.m4v | *.3gp | *.heic | *.avif) originals+=("$file") ;; esac
  done
else
  echo "no SHUNT_CORPUS: generated files only"
fi

# Ways that a file cannot take: with its item locations outside moov growing, it needs a new file;
# and what a sparse file of 4 GiB costs to shift or to send through a pipe is for the full run.
impossible() {
  case $1/$2 in
    iloc-grow-4g-file/insert | iloc-grow-4g-file/reflink | iloc-grow-4g-file/shift) return 0 ;;
    *) return 1 ;;
  esac
}
too_large() { (($(stat -c %s "$1") > 1 << 30)) && [[ $2 =~ ^(shift|stdout|stdin|pipe)$ ]]; }

# go WAY ORIGINAL: leaves the result in $at/result, and $rc.
go() {
  local at=$mnt/at
  case $1 in
    out | stdout | stdin | pipe) ;;
    *) cp --sparse=always "$2" "$at/result" && chmod u+w "$at/result" ;;
  esac
  rc=0
  case $1 in
    out) timeout 300 "$SHUNT" faststart "$2" -o "$at/result" ;;
    stdout) timeout 300 "$SHUNT" faststart "$2" -o - >"$at/result" ;;
    stdin) timeout 300 "$SHUNT" faststart - -o "$at/result" <"$2" ;;
    pipe) cat "$2" | TMPDIR=$at timeout 300 "$SHUNT" faststart - -o - >"$at/result" ;;
    *) timeout 300 "$SHUNT" faststart --strategy "$1" "$at/result" ;;
  esac >/dev/null 2>"$work/err" || rc=$?
}

moved=0
i=0
for original in "${originals[@]}"; do
  i=$((i + 1))
  name=$(basename "$original" .mp4)
  for ((w = 0; w < ${#ways[@]}; ++w)); do
    way=${ways[w]}
    if [[ $full != 1 ]]; then
      (((i + w + turn) % stride == 0)) || continue
      too_large "$original" "$way" && continue
    fi
    what="$name by $way"
    go "$way" "$original"
    if impossible "$name" "$way"; then
      [[ $rc != 0 ]] || fail "$what: exit 0 where it cannot be done"
    elif [[ $rc == 4 && $original == "$corpus"/* ]]; then
      # Nothing to be moved in it, or nothing that can be moved safely: left alone, by every way.
      [[ ! -e $mnt/at/result || ! -s $mnt/at/result ]] || same "$original" "$mnt/at/result" "$what"
      run faststart --dry-run "$original"
      ((rc == 4)) || fail "$what is refused, a dry run is not"
    elif [[ $rc != 0 ]]; then
      fail "$what: exit $rc: $(said)"
    else
      # Media in boxes whose types do not tell.
      case $name in
        media-in-* | moof-before-moov) check "$original" "$mnt/at/result" --moved ;;
        *) check "$original" "$mnt/at/result" ;;
      esac
      moved=$((moved + 1))
      expect 0 faststart "$mnt/at/result"
      says ': already'
    fi
    rm -f "$mnt/at/result"
    left=$(ls -A "$mnt/at")
    if [[ -n $left ]]; then
      fail "$what left behind: $left"
      rm -rf "$mnt/at" && mkdir "$mnt/at"
    fi
  done
done
((moved > enough)) || fail "only $moved results"
echo "$moved results"

# What the file system cannot do is said, and the file left alone.
generate plain "$mnt/at/plain"
before=$(state "$mnt/at/plain")
for way in insert reflink; do
  [[ " $in_place " == *" $way "* ]] && continue
  expect 7 faststart --strategy "$way" "$mnt/at/plain"
  equal "after --strategy $way" "$(state "$mnt/at/plain")" "$before"
done
expect 7 faststart --strategy reserve "$mnt/at/plain"
says '^shunt: .*: plan: no strategy can move moov here$'
says '^    reserve  no   .*no free box'
if command -v jq >/dev/null; then
  expect 7 --json faststart --strategy reserve "$mnt/at/plain"
  equal "why not, in JSON" "$(json '.files[0].strategies[0] | [.strategy, .suitable] | map(tostring) | join(" ")')" "reserve false"
fi
equal "after --strategy reserve" "$(state "$mnt/at/plain")" "$before"

# auto takes the cheapest.
case $fs in
  ext4) best=insert ;;
  xfs | btrfs) best=reflink ;;
  tmpfs) best=copy ;;
esac
expect 0 faststart "$mnt/at/plain"
says "moved \\($best\\)"
generate reserve-roomy "$mnt/at/roomy"
expect 0 faststart "$mnt/at/roomy"
says "moved \\(reserve\\)"
