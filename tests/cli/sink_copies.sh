#!/usr/bin/env bash
# Programs that copy an image onto a disk, through stream-sink into a pipe: what comes out is the
# image, and with the options they have by default, no more than the window is held.
# shellcheck source=tests/cli/lib.sh
source "$(dirname "$0")/lib.sh"
# shellcheck source=tests/cli/sinks.sh
source "$(dirname "$0")/sinks.sh"
need_command qemu-img qemu-nbd nbdcopy mkfs.ext4 jq
cd "$work"

# Two images: a file system with files in it, whose holes are zeros, and one without zeros.
mkdir files
cp -r "$SHUNT_SOURCE_DIR/lib" "$SHUNT_SOURCE_DIR/docs" files/
for i in 1 2 3; do head -c 12M /dev/urandom >"files/random$i"; done
truncate -s 128M ext4.img
mkfs.ext4 -q -d files ext4.img
rm -r files
head -c 48M /dev/urandom >random.img
# The last block is no whole one.
truncate -s -3584 random.img

# copies OPTION... -- COMMAND: the disk that COMMAND fills with $image is $image. $what names it.
copies() {
  local size options=()
  size=$(stat -c %s "$image")
  while [[ $1 != -- ]]; do options+=("$1") && shift; done
  what="$image: ${options[*]} $2"
  pours 0 "$image" --size "$size" "${options[@]}" --run "$2 >&2"
  equal "$what: bytes_out" "$(json .bytes_out)" "$size"
  if [[ $image == random.img ]]; then
    equal "$what: bytes_in, zero_bytes" "$(json .bytes_in), $(json .zero_bytes)" "$size, 0"
  fi
  equal "$what: command_status" "$(json .command_status)" 0
  equal "$what: error" "$(json .error)" null
}

# The window, 4 MiB that may wait for the consumer, and what a request adds to them.
held=6
export image
for image in ext4.img random.img; do
  # ---- what streams ----
  for command in \
    'qemu-img convert -n -f raw -O raw $image "$uri"' \
    'qemu-img convert -f raw -O raw $image "$uri"' \
    'qemu-img dd -f raw -O raw bs=1M if=$image of="$uri"' \
    'nbdcopy $image "$uri"' \
    'nbdcopy --synchronous $image "$uri"' \
    'cat $image | nbdcopy - "$uri"'; do
    copies -- "$command"
    streamed "$held"
  done

  # ---- from a compressed qcow2, and from another server ----
  qemu-img convert -c -f raw -O qcow2 "$image" source.qcow2
  copies -- 'qemu-img convert -n -f qcow2 -O raw source.qcow2 "$uri"'
  streamed "$held"
  # What nbdcopy has read goes out as it comes: with 16 MiB on their way, so much is out of order.
  for command in 'nbdcopy -- [ qemu-nbd -r -f raw $image ] "$uri"' \
    'nbdcopy -- [ qemu-nbd -r -f qcow2 source.qcow2 ] "$uri"'; do
    copies -- "$command"
    streamed 32
  done

  # ---- what overtakes itself comes out right all the same, with little memory too ----
  copies -- 'qemu-img convert -n -W -m 16 -f raw -O raw $image "$uri"'
  copies --memory 2M -- 'qemu-img convert -n -W -m 16 -f raw -O raw $image "$uri"'

  # ---- what leaves holes out ----
  copies --commit window -- \
    'qemu-img convert -n --target-is-zero -f raw -O raw $image "$uri"'
  streamed "$held"
  # Nobody says here that the holes are zeros, so that all behind the first waits for the end.
  copies --commit auto -- \
    'qemu-img convert -n --target-is-zero -f raw -O raw $image "$uri"'

  # ---- several connections, when nothing leaves before the end ----
  copies --commit at-end -- 'nbdcopy $image "$uri"'
  equal "$what: streamed" "$(json .streamed)" false
  copies --commit at-end --memory 8M -- 'qemu-img convert -n -f raw -O raw $image "$uri"'
  (($(json .spilled) > 0)) || fail "$what: nothing is spilled of an image of more than --memory"
done

# ---- nbdcopy copies stretches of 128 MiB side by side, where it is offered several connections ----
image=halves.img
truncate -s 256M $image
for at in 0 128; do dd if=random.img of=$image bs=1M seek=$at count=24 conv=notrunc status=none; done
copies -- 'nbdcopy $image "$uri"'
streamed "$held"
copies --commit at-end --trace trace.json -- 'nbdcopy $image "$uri"'
(($(jq -s 'map(.connection) | unique | length' trace.json) > 1)) || fail "$what: one connection"

# ---- images of kinds that write their tables again and again ----
for way in 'qemu-img create -q -f qcow2 "$uri" 128M && qemu-img convert -n -O qcow2' \
  'qemu-img convert -O qcow2' 'qemu-img convert -O vdi' 'qemu-img convert -O vpc -o force_size=on'; do
  what="$way"
  kind=${way##*-O }
  kind=${kind%% *}
  expect 0 --json stream-sink --size 160M --truncate -o made --force --run "$way -f raw ext4.img \"\$uri\""
  equal "$what: streamed" "$(json .streamed)" false
  (($(stat -c %s made) < 140 << 20)) || fail "$what: --truncate leaves $(stat -c %s made) bytes"
  qemu-img compare -q -f raw -F "$kind" ext4.img made || fail "$what: other content"
  [[ $kind == vpc ]] || qemu-img check -q -f "$kind" made || fail "$what: not sound"
done

# ---- a second copy comes too late: an error of the copy, and of the stream ----
what="two copies"
rc=0
"$SHUNT" --json stream-sink --size 128M --run \
  'nbdcopy ext4.img "$uri" && nbdcopy ext4.img "$uri"' 2>err >short || rc=$?
take_summary err
equal "$what: exit" "$rc" 1
cmp -n "$(stat -c %s short)" short ext4.img || fail "$what: what left before the error is no prefix"
equal "$what: bytes_out" "$(json .bytes_out)" "$(stat -c %s short)"
equal "$what: command_status" "$(json .command_status)" 1
(($(json .window_needed) > 64 << 20)) || fail "$what: window_needed is $(json .window_needed)"

# ---- through a file of nbdfuse ----
need_fuse
export with_disk
for image in ext4.img random.img; do
  for command in 'dd if=$image of=$disk bs=1M conv=notrunc' \
    'dd if=$image of=$disk bs=37k conv=notrunc' \
    'cp --sparse=never $image $disk'; do
    copies -- "'$with_disk' '$command'"
    streamed "$held"
  done
done
