#!/usr/bin/env bash
# --truncate: a disk that is larger than the image gives the image, with the zeros that it ends in,
# whatever the policy and the client.
# shellcheck disable=SC2016  # what the commands of --run expand
# shellcheck source=tests/cli/lib.sh
source "$(dirname "$0")/lib.sh"

need_command python3 nbdcopy qemu-img mkfs.ext4
client="python3 $(realpath "$(dirname "$0")")/nbd_client.py"
cd "$work"
export client

truncate -s 96M ext4.img
mkfs.ext4 -qF ext4.img # the last group is empty
truncate -s 3M zeros.img
{ head -c 100000 /dev/urandom && head -c 31072 /dev/zero; } >tail.img

for policy in auto window at-end; do
  for image in ext4 zeros tail; do
    for copies in 'nbdcopy' 'nbdcopy --connections=1' 'qemu-img convert -n -f raw -O raw' 'qemu-img convert -f raw -O raw'; do
      # qemu-img takes multiples of 512, and nbdcopy in parallel no window.
      run stream-sink --size 128M --truncate --commit "$policy" --window 4M -o made --force --run "$copies $image.img \"\$uri\" >&2"
      ((rc == 0)) || fail "$copies $image.img, $policy: exit $rc: $(said)"
      same made $image.img "$copies, $policy"
    done
  done
done

# qcow2 ends a cluster that it has filled in part with zeros: as data, or as a request.
sizes=()
for policy in auto at-end; do
  expect 0 stream-sink --size 128M --truncate --commit "$policy" -o made --force \
    --run 'qemu-img convert -f raw -O qcow2 ext4.img "$uri" >&2'
  sizes+=("$(stat -c %s made)")
  qemu-img compare -q -f qcow2 -F raw made ext4.img || fail "qcow2, $policy"
done
equal "size of the qcow2, at-end" "${sizes[1]}" "${sizes[0]}"

# actions SIZE WHAT ACTION...: how much leaves of a disk of 8 MiB.
actions() {
  local size=$1 what=$2 policy
  shift 2
  for policy in auto at-end; do
    expect 0 stream-sink --size 8M --truncate --commit $policy -o made --force --run "\$client \"\$unixsocket\" $* leave >&2"
    equal "size, $what, $policy" "$(stat -c %s made)" "$size"
  done
}
actions 65536 "a wipe, then data" zero:0:8388608 write:0:65536:1
actions 65536 "a wipe in pieces, then data" zero:0:4194304 zero:4194304:4194304 write:0:65536:1
actions 100000 "a wipe, then zeros" zero:0:8388608 zero:0:100000
actions 8388608 "a wipe" zero:0:8388608
actions 65536 "data, and a discard of the rest" write:0:65536:1 trim:65536:8323072
actions 8388608 "data, and zeros to the end" write:0:65536:1 zero:65536:8323072
