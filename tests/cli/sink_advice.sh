#!/usr/bin/env bash
# What --advise prints is typed as it is, for the same client: it works, within that memory.
# shellcheck disable=SC2016  # what the commands of --run expand
# shellcheck source=tests/cli/lib.sh
source "$(dirname "$0")/lib.sh"

need_command python3 nbdcopy nbdinfo qemu-img jq
client="python3 $(realpath "$(dirname "$0")")/nbd_client.py"
cd "$work"
export client
head -c 24M /dev/urandom >image.raw

# advised POLICY COMMAND: looks at it, and follows the advice.
advised() {
  local policy=$1 command=$2 advice what="$2, $1" said_by_text
  expect 0 stream-sink --size 64M --commit "$policy" --advise -o first.img --force --run "$command"
  said_by_text=$(sed -n 's/^advice: \(.*\) would have been enough$/\1/p' err)
  [[ -n $said_by_text ]] || { fail "$what: no advice: $(said)" && return; }
  [[ $said_by_text =~ ^--commit\ window\ --window\ [0-9]+[KMG]?\ --memory\ [0-9]+[KMG]?$ ]] ||
    fail "$what: not what one types: $said_by_text"
  read -ra advice <<<"$said_by_text"
  expect 0 --json stream-sink --size 64M "${advice[@]}" -o second.img --force --run "$command"
  same first.img second.img "$what: ${advice[*]}"
  equal "$what: spilled with ${advice[*]}" "$(json .spilled)" 0
  echo "$what: ${advice[*]}; held $(json .peak_held)"
}
for policy in at-end auto window; do
  advised "$policy" 'nbdcopy image.raw "$uri"'
  advised "$policy" 'qemu-img convert -n -f raw -O raw image.raw "$uri" >&2'
done
# Out of order, far back, reading what it has written, with next to nothing in between.
advised at-end '$client "$unixsocket" write:1048576:1048576:1 write:100000:5000:2 write:3145728:1048576:3 leave >&2'
advised at-end '$client "$unixsocket" write:0:4194304:1 write:60000000:4096:2 write:30000000:4096:3 read:0:4096 leave >&2'
advised at-end '$client "$unixsocket" write:0:25165824:1 read:20971520:65536 leave >&2'

# It looks under the conditions that it advises.
for feature in multi-conn fast-zero; do
  expect 0 stream-sink --size 1M --commit at-end --advise -o disk.img --force \
    --run "nbdinfo --can $feature \"\$uri\"; echo \$? >can; \$client \"\$unixsocket\" write:0:512:1 leave"
  equal "$feature with --advise" "$(<can)" 2
done
expect 0 --json stream-sink --size 64M --commit at-end --advise -o disk.img --force --run 'nbdcopy image.raw "$uri"'
equal "advice for a copy" "$(json .advice.options)" '--commit window --window 0 --memory 8M'
equal "its memory in bytes" "$(json .advice.memory)" $((8 << 20))
