#!/usr/bin/env bash
# The examples of README.md and of the manual pages of faststart, fetch, cache-warm and cache, and those
# of --help, work as they stand: with an empty cache, through pipes and on a terminal. Servers of our
# own stand in for those that they name. (Those of stream-sink: sink_examples.sh.)
# shellcheck source=tests/cli/lib.sh
source "$(dirname "$0")/lib.sh"
# shellcheck source=tests/cli/servers.sh
source "$(dirname "$0")/servers.sh"
begin_with_cache
need_command jq script stty tar xargs
mkdir bin
ln -s "$SHUNT" bin/shunt
if ! command -v ffprobe >/dev/null; then printf '#!/bin/sh\ncat >/dev/null\n' >bin/ffprobe && chmod +x bin/ffprobe; fi
PATH=$work/bin:$PATH

# ---- what they work on ----
generate plain video.mp4
generate plain www/film.mp4
head -c 200K /dev/zero >>www/film.mp4 # so that it has a last part
head -c 300000 /dev/urandom >www/data
truncate -s 1200M www/disk.img
start_nginx www
start_registry
for layer in 1 2 3; do mkdir layer$layer && head -c 200000 /dev/urandom >layer$layer/file$layer; done
push_image debian:12 layer1 layer2 layer3
push_image python:3 layer1 layer2 layer3
export SHUNT_PLAIN_HTTP=1

# ---- the examples, one a file ----
mkdir examples
awk '/^### / { on = ($2 == "faststart" || $2 == "fetch" || $2 ~ /^cache/); name = $2 } /^## / { on = 0 } !on { next }
  /^```sh/ { block = sprintf("examples/readme-%s-%02d", name, ++count); next } /^```/ { block = "" }
  block { print >block }' "$SHUNT_SOURCE_DIR/README.md"
for page in faststart fetch cache-warm cache; do
  awk -v page="$page" '/^\.Sh/ { on = ($2 == "EXAMPLES"); next } !on { next }
    /^\.Bd -literal/ { block = sprintf("examples/man-%s-%02d", page, ++count); next } /^\.Ed/ { block = "" }
    /^\.Dl / { sub(/^\.Dl /, ""); gsub(/\\&/, ""); gsub(/\\e/, "\\"); gsub(/\\\(aq/, "\047")
      print >sprintf("examples/man-%s-%02d", page, ++count); next }
    block { gsub(/\\e/, "\\"); print >block }' "$SHUNT_SOURCE_DIR/docs/man/shunt-$page.1"
done
for words in "" faststart fetch cache-warm cache "cache ls" "cache stat" "cache verify" "cache gc" "cache rm" "cache pin" "cache unpin" help; do
  # shellcheck disable=SC2086
  "$SHUNT" $words --help | awk -v name="help-${words// /-}" '/^Examples:/ { on = 1; next } /^$/ { on = 0 }
    on { sub(/^  /, ""); print >sprintf("examples/%s-%d", name, ++count) }'
done
examples=(examples/*)
((${#examples[@]} >= 55)) || fail "only ${#examples[@]} examples were found"
# What stands in several places is tried once.
declare -A seen=()
for example in examples/*; do
  text=$(<"$example")
  if [[ -n ${seen[$text]-} ]]; then rm "$example"; fi
  seen[$text]=yes
done
examples=(examples/*)
((${#examples[@]} >= 30)) || fail "only ${#examples[@]} different examples were found"

# fresh_folder: what an example finds, besides an empty cache.
fresh_folder() {
  rm -rf here "$SHUNT_CACHE_DIR"
  mkdir here
  cp video.mp4 here/video.mp4
  echo "$nginx_url/film.mp4" >here/videos.txt
}
# expected EXAMPLE STATE: its exit status, cache empty or warm.
expected() {
  if grep -q -- '--check' "$1"; then
    echo 1 # the video has its index at the end
  elif [[ $2 == empty ]] && grep -q -- '--offline' "$1"; then
    echo 5
  elif [[ $2 == empty ]] && grep -Eq 'cache (pin|unpin|rm)|cache verify http' "$1"; then
    echo failure # there is nothing of that name
  else
    echo 0
  fi
}
# right EXAMPLE STATE: $rc is that, and what came of it is right.
right() {
  local wanted
  wanted=$(expected "$1" "$2")
  if [[ $wanted == failure ]]; then
    ((rc > 0 && rc < 9)) || fail "$what: exit $rc"
    return
  fi
  ((rc == wanted)) || fail "$what: exit $rc instead of $wanted: $(tail -c 500 said)"
  if ((rc != 0)); then return; fi
  if [[ -e here/film.mp4 ]]; then same here/film.mp4 www/film.mp4 "$what"; fi
  if [[ -e here/front.mp4 ]]; then "$SHUNT" faststart --check here/front.mp4 >said || fail "$what: $(cat said)"; fi
  if [[ -e here/ends ]]; then same here/ends <({ head -c 4096; } <www/film.mp4 && tail -c 1M www/film.mp4) "$what"; fi
  no_leftovers here
}
for example in "${examples[@]}"; do
  sed -i "s|https://example.org|$nginx_url|g; s#docker://\(debian\|python\)#docker://$registry/\1#g; s|/var/cache/shunt|$SHUNT_CACHE_DIR|; s|zstd -dc disk.zst|cat video.mp4|" "$example"
  if grep -q 'stream-sink --size' "$example"; then continue; fi
  states=(empty)
  if grep -Eq -- '--offline|cache ' "$example"; then states=(empty warm); fi
  for state in "${states[@]}"; do
    for way in pipe terminal; do
      what="$(basename "$example"), $state cache, $way: $(tr '\n' ' ' <"$example" | head -c 120)"
      fresh_folder
      if [[ $state == warm ]]; then
        "$SHUNT" -q cache-warm "$nginx_url/film.mp4" "docker://$registry/debian:12"
        digest=$("$SHUNT" --json cache ls | jq -r '[.entries[].identity | select(startswith("sha256:"))][0]')
        sed "s|5f70bf18a086|${digest:7:12}|" "$example" >now
      else
        cp "$example" now
      fi
      rc=0
      if [[ $way == pipe ]]; then
        (cd here && timeout 60 bash -eo pipefail ../now 2>&1 </dev/null) | cat >said || rc=${PIPESTATUS[0]}
      else
        cd here
        on_terminal 80 timeout 60 bash -eo pipefail ../now
        cd ..
        cp terminal said
        fits 79
      fi
      right "$example" "$state"
    done
  done
done
