#!/usr/bin/env bash
# Disks as partitioners, mkfs, mounts and muxers write them, through nbdfuse and stream-sink: what
# leaves is sound, when bytes leave early and when they leave at the end.
# shellcheck source=tests/cli/lib.sh
source "$(dirname "$0")/lib.sh"
# shellcheck source=tests/cli/sinks.sh
source "$(dirname "$0")/sinks.sh"
need_command parted mkfs.ext4 e2fsck mkfs.xfs xfs_repair mkfs.fat fsck.fat mcopy mkfs.btrfs btrfs zstd ffmpeg jq
[[ -x /usr/bin/time ]] || skip "there is no /usr/bin/time"
need_fuse
need_loop
cd "$work"

mkdir files at
cp -r "$SHUNT_SOURCE_DIR/lib" "$SHUNT_SOURCE_DIR/docs" files/
head -c 8M /dev/urandom >files/random
truncate -s 1M files/hole

# sound COMMAND...: it finds nothing to say against a disk.
sound() { "$@" >checked 2>&1 || fail "$what: $*: $(tail -n 5 checked | tr '\n' '|')"; }

# has_files IMAGE [OPTION]: mounted, it has what is in files/.
has_files() {
  local image=$1 options=loop,ro${2+,$2}
  if ! mount -o "$options" "$image" at 2>checked; then
    fail "$what: mount: $(cat checked)"
    return
  fi
  diff -r --no-dereference -x lost+found files at >checked 2>&1 || fail "$what: other files: $(head -n 5 checked)"
  umount at
}

# fat_has_files IMAGE: the same of a FAT. Kernels may lack it, and mtools shares no code with them.
fat_has_files() {
  mkdir back
  mcopy -s -i "$1" '::*' back >checked 2>&1 || fail "$what: mcopy: $(cat checked)"
  diff -r files back >checked 2>&1 || fail "$what: other files: $(head -n 5 checked)"
  rm -r back
}

# held KIB: at most so much was held, for a disk whose zeros are free.
held() { (($(json .peak_held) <= $1 << 10)) || fail "$what: $(json .peak_held) bytes were held"; }

# Partitions as parted makes them on a file: neither what is drawn by lot nor what is in them.
partitions() { parted -s -m "$1" unit s print 2>&1 | tail -n +3 | cut -d : -f 1-4,6-; }
truncate -s 256M gpt-direct.img msdos-direct.img
gpt='mklabel gpt mkpart boot fat32 1MiB 33MiB mkpart root ext4 33MiB 100%'
msdos='mklabel msdos mkpart primary ext4 1MiB 100% set 1 boot on'
# shellcheck disable=SC2086
{
  parted -s gpt-direct.img $gpt
  parted -s msdos-direct.img $msdos
} 2>checked

# makes SIZE COMMAND: the disk that COMMAND makes of $disk is $image.
export with_disk
makes() {
  what="$policy: $2"
  image=$policy.img
  expect 0 --json stream-sink --size "$1" --commit "$policy" -o "$image" --force --sparse \
    --run "'$with_disk' '$2' >&2"
  equal "$what: size" "$(stat -c %s "$image")" "$(json .bytes_out)"
  equal "$what: spilled" "$(json .spilled)" 0
}

for policy in auto at-end; do
  makes 256M "parted -s \$disk $gpt"
  equal "$what" "$(partitions "$image")" "$(partitions gpt-direct.img)"
  makes 256M "parted -s \$disk $msdos"
  equal "$what" "$(partitions "$image")" "$(partitions msdos-direct.img)"

  makes 256M 'mkfs.ext4 -q $disk'
  sound e2fsck -fn "$image"
  makes 256M 'mkfs.ext4 -q -d files $disk'
  sound e2fsck -fn "$image"
  has_files "$image"
  makes 320M 'mkfs.xfs -q $disk'
  sound xfs_repair -n -f "$image"
  makes 64M 'mkfs.fat $disk && mcopy -s -i $disk files/* ::'
  sound fsck.fat -n "$image"
  fat_has_files "$image"
  makes 256M 'mkfs.btrfs -q --rootdir files $disk'
  sound btrfs check "$image"
  has_files "$image"

  # A file system in a partition: by its offset, and as a loop device.
  makes 256M "parted -s \$disk $msdos && mkfs.ext4 -q -d files -E offset=1048576 \$disk 255M"
  equal "$what" "$(partitions "$image")" "$(partitions msdos-direct.img)"
  sound e2fsck -fn "$image?offset=1048576"
  has_files "$image" offset=1048576
  makes 256M "parted -s \$disk $gpt && losetup --find --show --offset 33M --sizelimit 222M \$disk >device &&
    mkfs.ext4 -q -d files \$(cat device) && losetup -d \$(cat device)"
  equal "$what" "$(partitions "$image")" "$(partitions gpt-direct.img)"
  has_files "$image" offset=$((33 << 20))

  # Files that are copied into it while it is mounted; some go again.
  makes 256M 'mkfs.ext4 -q $disk && mkdir -p on && mount -o loop $disk on &&
    { cp -r files/. on/ && cp files/random on/more && sync -f on && rm on/more; umount on; }'
  sound e2fsck -fn "$image"
  has_files "$image"
  makes 320M 'mkfs.xfs -q $disk && mkdir -p on && mount -o loop $disk on &&
    { cp -r files/. on/; umount on; }'
  sound xfs_repair -n -f "$image"
  has_files "$image"
  makes 256M 'mkfs.btrfs -q $disk && mkdir -p on && mount -o loop $disk on &&
    { cp -r files/. on/; umount on; }'
  sound btrfs check "$image"
  has_files "$image"

  # What is written onto an empty disk is little, wherever it lies.
  makes 1G "parted -s \$disk $gpt"
  held 64
  makes 1G 'mkfs.ext4 -q $disk'
  held 1024
  makes 1G "parted -s \$disk $gpt && mkfs.ext4 -q -E offset=\$((33 << 20)) \$disk 900M"
  held 1024
  makes 1G 'mkfs.xfs -q $disk'
  held 256
done

# ---- mkfs.fat alone writes in order, but for 16 KiB ----
for options in '--commit auto' '--commit window --window 16K'; do
  what="mkfs.fat, $options"
  # shellcheck disable=SC2086
  expect 0 --json stream-sink --size 1G $options -o fat.img --force --sparse --run "'$with_disk' 'mkfs.fat \$disk' >&2"
  streamed 1
  sound fsck.fat -n fat.img
done

# ---- a partitioned disk with a file system, compressed as it comes, and nothing on any disk ----
what="into zstd"
codes=(0 0)
"$SHUNT" --json stream-sink --size 256M --spill none --digest sha256 --run \
  "'$with_disk' 'parted -s \$disk $msdos && mkfs.ext4 -q -d files -E offset=1048576 \$disk 255M' >&2" 2>err |
  zstd -q >disk.img.zst || codes=("${PIPESTATUS[@]}")
equal "$what: exit statuses" "${codes[*]}" "0 0"
take_summary err
equal "$what: spilled" "$(json .spilled)" 0
zstd -q -d disk.img.zst
equal "$what: digest" "$(json .digest)" "sha256:$(sha256sum <disk.img | cut -d ' ' -f 1)"
equal "$what: partitions" "$(partitions disk.img)" "$(partitions msdos-direct.img)"
sound e2fsck -fn 'disk.img?offset=1048576'
has_files disk.img offset=1048576
rm disk.img

# ---- with little memory: what is more is spilled, and comes back ----
what="with 4 MiB of memory"
peak --json stream-sink --size 256M --memory 4M -o spilled.img --sparse \
  --run "'$with_disk' 'mkfs.ext4 -q -d files \$disk' >&2"
(($(json .spilled) > 4 << 20)) || fail "$what: $(json .spilled) bytes are spilled"
equal "$what: exit" "$rc" 0
# The program, its libraries and their buffers are 16 MiB of it.
[[ $sanitized == 1 ]] || ((rss <= 20 << 10)) || fail "$what: $rss KiB in use"
sound e2fsck -fn spilled.img
has_files spilled.img
rm spilled.img

# ---- what muxers patch at the end ----
# encode SECONDS: the words of ffmpeg for a video of about 7 MB a second, always the same.
encode() {
  echo "ffmpeg -nostdin -loglevel error -f lavfi -i testsrc2=s=640x360:d=$1,noise=alls=60:allf=t:all_seed=1 -f lavfi -i sine=d=$1 \
    -c:v mpeg4 -q:v 1 -c:a pcm_s16le -threads 1 -fflags +bitexact -flags:v +bitexact -flags:a +bitexact -y"
}
for format in mov matroska avi 'flv -c:v flv -ar 44100' 'wav -map 1' 'flac -map 1 -c:a flac'; do
  what="$format"
  # shellcheck disable=SC2086
  $(encode 1) -f $format direct
  pours 0 direct --size 64M --commit at-end --truncate --run "'$with_disk' '$(encode 1) -f $format \$disk' >&2"
  equal "$what: bytes_out" "$(json .bytes_out)" "$(stat -c %s direct)"
done
what="mp4"
$(encode 2) -c:a aac -f mp4 direct
(($(stat -c %s direct) > 4 << 20)) || fail "$what: too small to leave: $(stat -c %s direct)"
pours 0 direct --size 64M --commit at-end --truncate --run "'$with_disk' '$(encode 2) -c:a aac -f mp4 \$disk' >&2"
# It is written in order until then, so that its beginning has left.
run --json stream-sink --size 64M --truncate -o never --run "'$with_disk' '$(encode 2) -c:a aac -f mp4 \$disk' >&2"
((rc != 0)) || fail "$what, auto: exit 0, though its beginning has left"
[[ $(json '.error.hint') == *at-end* ]] || fail "$what, auto: $(cat out)"
[[ ! -e never ]] || fail "$what, auto: a failed run leaves a file"
rm direct

# ---- holes, and zeros ----
taken() { echo $(($(stat -c %b "$1") * $(stat -c %B "$1"))); }
policy=auto
makes 256M 'mkfs.ext4 -q $disk'
(($(taken "$image") < 4 << 20)) || fail "--sparse: an empty file system takes $(taken "$image") bytes"
expect 0 --json stream-sink --size 64M -o zeros.img --run "'$with_disk' 'mkfs.ext4 -q \$disk' >&2"
(($(taken zeros.img) >= 64 << 20)) || fail "without --sparse, 64 MiB take $(taken zeros.img) bytes"
sound e2fsck -fn zeros.img
no_leftovers .
