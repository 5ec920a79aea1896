#!/usr/bin/env bash
# The examples of README.md and of the manual pages of stream-sink and its plugin work as they stand,
# through pipes and on a terminal.
# shellcheck disable=SC2016  # what the commands of --run expand
# shellcheck source=tests/cli/lib.sh
source "$(dirname "$0")/lib.sh"
# shellcheck source=tests/cli/sinks.sh
source "$(dirname "$0")/sinks.sh"
need_command qemu-img nbdcopy nbdkit mkfs.ext4 e2fsck zstd jq sha256sum
need_fuse
cd "$work"
mkdir bin
ln -s "$SHUNT" bin/shunt
PATH=$work/bin:$PATH
head -c 20M /dev/urandom >original
truncate -s 64M original

# of_readme HEADING and of_page PAGE: the examples there, one a file in examples/.
of_readme() {
  awk -v heading="### $1" '$0 == heading { on = 1; next } /^##/ { on = 0 } !on { next }
    /^```sh/ { block = sprintf("examples/readme-%02d", ++count); next } /^```/ { block = "" }
    block { print >block }' "$SHUNT_SOURCE_DIR/README.md"
}
of_page() {
  awk -v page="$1" '/^\.Sh/ { on = ($2 == "EXAMPLES"); next } !on { next }
    /^\.Bd -literal/ { block = sprintf("examples/%s-%02d", page, ++count); next } /^\.Ed/ { block = "" }
    block { gsub(/\\e/, "\\"); print >block }' "$SHUNT_SOURCE_DIR/docs/man/$1"
}
mkdir examples
of_readme stream-sink
of_page shunt-stream-sink.1
of_page nbdkit-shunt-plugin.1

plugin=${NBDKIT_SHUNT_PLUGIN-}
ran=0
for way in pipe terminal; do
for example in examples/*; do
  what="$(basename "$example"), $way: $(tr '\n' ' ' <"$example" | head -c 200)"
  if grep -q nbdkit "$example"; then
    [[ -f $plugin ]] || continue
    sed -i "s|-U - shunt |-U - $plugin |" "$example"
  fi
  if grep -q losetup "$example" && ! (need_loop) >/dev/null; then continue; fi
  rm -rf here && mkdir here
  cp original here/disk.img
  qemu-img convert -f raw -O qcow2 original here/disk.qcow2
  # Their disks stand for any: the real one is smaller, and the rest is zeros.
  sed -Ei 's/(size[ =])10?G/\1256M/' "$example"
  grep -q -- '-o disk.img' "$example" && rm here/disk.img
  if grep -q 'zstd -dc disk.raw.zst |' "$example"; then zstd -q original -o here/disk.raw.zst; fi
  client=
  if grep -q nbd://server "$example"; then
    sed -i 's|nbd://server/|-- [ nbdkit --exit-with-parent file ../original ]|' "$example"
  fi
  if grep -q -- '--listen' "$example"; then
    sed -i "s|tcp:127.0.0.1:10809|unix:$work/disk.sock|" "$example"
    (
      cd here
      listens "$work/disk.sock" $$
      nbdcopy ../original "nbd+unix:///?socket=$work/disk.sock"
    ) &
    client=$!
    background+=("$client")
  fi
  rc=0
  if [[ $way == pipe ]]; then
    (cd here && size=64M timeout 120 bash -eo pipefail "../$example" 2>../err </dev/null) | cat >said || rc=${PIPESTATUS[0]}
  else
    cd here
    on_terminal 80 env size=64M timeout 120 bash -eo pipefail "../$example"
    cd ..
    cp terminal err
    fits 79
  fi
  equal "$what: exit" "$rc" 0
  ((rc == 0)) || said
  [[ -z $client ]] || wait "$client" || fail "$what: the client fails"
  ran=$((ran + 1))

  # ---- what comes of it ----
  cd here
  [[ ! -s disk.raw.zst ]] || { zstd -q -dc disk.raw.zst || true; } | cmp -n "$((64 << 20))" - ../original || fail "$what: another image"
  if grep -q losetup "../$example"; then
    cmp -n "$((64 << 20))" copy.img ../original || fail "$what: another image"
  elif grep -q mkfs "../$example"; then
    [[ ! -e disk.zst ]] || zstd -q -f -d disk.zst -o disk.img
    e2fsck -fn disk.img >../said 2>&1 || fail "$what: $(cat ../said)"
  elif [[ -e disk.img ]]; then
    cmp -n "$((64 << 20))" disk.img ../original || fail "$what: another image"
  fi
  if grep -q advise "../$example"; then grep -q -- '--window [0-9]' ../err || fail "$what: no advice: $(said)"; fi
  cd ..
done
done

# A stream that fails, or is stopped, leaves nothing under the name that --to gives at the end.
to=$(sed -n "/^### stream-sink/,/^## /s/^  --to '\(.*\)'/\1/p" "$SHUNT_SOURCE_DIR/README.md" | head -1)
[[ -n $to ]] || fail "README.md has no --to"
run stream-sink --size 64M --run 'qemu-img convert -n -f raw -O raw original "$uri"; exit 9' --to "$to"
equal "exit of a stream whose client failed" "$rc" 9
[[ ! -e disk.raw.zst ]] || fail "half an image under its final name"
rm -f disk.part

# What programs need that these do not show is told in both.
for word in losetup pipefail 512 zip 'at-end'; do
  grep -q -- "$word" "$SHUNT_SOURCE_DIR/docs/man/shunt-stream-sink.1" || fail "the manual page says nothing of $word"
  sed -n '/^### stream-sink/,/^## /p' "$SHUNT_SOURCE_DIR/README.md" | grep -q -- "$word" || fail "README.md says nothing of $word"
done
expect 1 stream-sink --size 1M -o never --run "bash -o pipefail -c 'false | cat'"
[[ ! -e never ]] || fail "a pipeline that failed leaves an output"
head -c 1000300 original >odd.raw
expect 1 stream-sink --size 1000300 -o never --run 'qemu-img convert -n -f raw -O raw odd.raw "$uri"'
says 'No space left on device'
expect 0 stream-sink --size 1000300 -o odd.img --run 'nbdcopy odd.raw "$uri"'
same odd.img odd.raw

((ran >= 20)) || fail "only $ran examples were found"
no_leftovers .
