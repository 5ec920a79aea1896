#!/usr/bin/env bash
# A cache that may only be read, entries that are damaged in every way, a budget: the right bytes all
# the same, or a clear error.
# shellcheck source=tests/cli/lib.sh
source "$(dirname "$0")/lib.sh"
# shellcheck source=tests/cli/servers.sh
source "$(dirname "$0")/servers.sh"
need_command jq
cd "$work"

mkdir www
head -c 6000000 /dev/urandom >www/blob
for i in 1 2 3 4 5 6; do head -c 1000000 /dev/urandom >"www/$i"; done
start_nginx www
url=$nginx_url/blob
export SHUNT_CACHE_DIR=$work/cache

entry() { find "$SHUNT_CACHE_DIR/blobs" -name 'url-*'; }

# right NAME: whatever has happened to the cache, the bytes come right; and again from the cache.
right() {
  expect 0 fetch "$url" -o got --force
  same got www/blob "$1"
  expect 0 fetch "$url" -o got --force
  same got www/blob "$1, the second time"
}

# ---- damage ----
expect 0 fetch "$url" -o got --force
cp -a cache good
# hurt NAME COMMAND...: the entry's path follows.
hurt() {
  local name=$1
  shift
  rm -rf cache
  cp -a good cache
  "$@" "$(entry)"
  right "$name"
}
overwrite() { printf '%b' "$2" | dd of="$3" bs=1 seek="$1" conv=notrunc status=none; }
cut_to() { truncate -s "$1" "$2"; }
hurt "another magic" overwrite 0 'not an entry'
hurt "another version" overwrite 8 '\x07'
hurt "a bit in the header" overwrite 40 '\xff'
hurt "the header's checksum" overwrite 4090 '\xff\xff'
hurt "the size" overwrite 16 '\xff\xff\xff\xff\xff\xff\xff\x7f'
hurt "the state" overwrite 4096 'xxxxxxxxxxxxxxxx'
hurt "records" overwrite 8192 '\x01\x02\x03\x04\x05\x06\x07\x08\x09\x0a'
hurt "a cut into the data" cut_to 3000000
hurt "a cut into the header" cut_to 100
hurt "an empty file" cut_to 0
hurt "a longer file" cut_to 9000000
# A copy of an entry is another file, which starts untrusted: its data is looked at.
for at in 70000 200000 1000000 5999999; do
  hurt "a byte of the data of a copy, at $at" overwrite $((at + 65536)) '\x55\xaa\x55'
done
zeros() { dd if=/dev/zero of="$1" bs=65536 seek=10 count=20 conv=notrunc status=none; }
hurt "zeros in the data of a copy" zeros
hurt "no entry at all" rm
rm -rf cache/blobs cache/documents
echo 'not a directory' >cache/blobs
expect 0 fetch "$url" -o got --force
same got www/blob "a file in place of the directory"
rm -rf cache

# verify finds what is damaged, and says so.
cp -a good cache
printf 'XX' | dd of="$(entry)" bs=1 seek=2000000 conv=notrunc status=none
expect 6 --json cache verify
equal "bad blocks" "$(json '.entries[0].blocks_bad')" 1
expect 0 cache verify
right "after verify"
# What others may write to is no better than what cannot be read, and looks no better.
rm -rf cache && cp -a good cache
chmod 666 "$(entry)"
expect 0 cache ls
tells 'damaged'
expect 0 --json cache ls
equal "an entry that others may write to" \
  "$(json '.entries[0] | [.damaged, .complete, .verified] | map(tostring) | join(" ")')" "true false false"
expect 6 cache verify
says 'the entry is not trusted: group or others may write to it'
expect 0 cache verify
right "after the entry has been taken away"

# ---- beside a process that was stopped with a lock ----
# hold KIND FILE: $holder does that: it has the file's lock (flock), or the state of an entry (state).
cat >hold.py <<'P'
import fcntl, struct, sys, time
kind, name = sys.argv[1:]
file = open(name, "r+b")
if kind == "flock":
    fcntl.flock(file, fcntl.LOCK_EX)
else:
    header_size = struct.unpack("<I", file.read(16)[12:16])[0]
    fcntl.fcntl(file, 37, struct.pack("hhqqi4x", fcntl.F_WRLCK, 0, header_size, 64, 0))  # F_OFD_SETLK
open("held", "w").close()
time.sleep(600)
P
hold() {
  rm -f held
  python3 hold.py "$@" &
  holder=$!
  background+=("$holder")
  appears held "$holder" || fail "$*: the lock cannot be had"
  kill -STOP "$holder"
}
let_go() {
  kill -CONT "$1"
  kill "$1"
  wait "$1" || true
}
rm -rf cache
expect 0 fetch "$nginx_url/brief/blob" -o got --force
# The lock of the names: whoever waits for it says so, ends when the user says stop, and at the limit.
hold flock cache/blobs/.lock
names=$holder
"$SHUNT" cache gc --max-size 0 2>limit &
to_the_limit=$!
"$SHUNT" -v cache gc --max-size 0 2>waiting &
pid=$!
until grep -q 'waiting for another process' waiting; do
  kill -0 "$pid" 2>/dev/null || { fail "it does not wait: $(cat waiting)" && break; }
done
kill -INT "$pid"
exits "$pid" 130 "stopped while it waits for a lock" 60
# The state of an entry: done without.
hold state "$(entry)"
sleep 1.1 # Cache-Control there is max-age=1
expect 0 --json fetch "$nginx_url/brief/blob" -o got --force
same got www/blob "with the state of its entry locked"
equal "requests, with the state locked" "$(json .requests)" 1
expect 0 cache verify
let_go "$holder"
# An entry as a whole: done without as well.
hold flock "$(entry)"
expect 0 fetch "$nginx_url/brief/blob" -o got --force
same got www/blob "with its entry locked"
let_go "$holder"
exits "$to_the_limit" 8 "at the limit of a wait for a lock" 60
grep -q '/blobs/.lock: lock: another process has held the lock for more than 10 s' limit || fail "at the limit: $(cat limit)"
let_go "$names"

# ---- a directory that may only be read ----
rm -rf cache
cp -a good cache
chmod -R a-w cache
if ((EUID == 0)); then
  # Root may write everywhere but on a file system mounted so.
  chmod -R u+w cache
  mkdir ro
  if mount --bind cache ro 2>/dev/null && mount -o remount,bind,ro ro 2>/dev/null; then
    mounts=("$work/ro" "${mounts[@]}")
    forget_requests
    expect 0 --cache-dir ro fetch "$url" -o got --force
    same got www/blob "a cache that may only be read"
    equal "data requests with a cache that may only be read" "$(data_requests)" 0
    expect 0 --cache-dir ro fetch "$nginx_url/1" -o got --force
    same got www/1 "a blob that such a cache has not"
    expect 7 --cache-dir ro cache rm "$url"
  fi
else
  expect 0 fetch "$url" -o got --force
  same got www/blob "a cache that may only be read"
fi
chmod -R u+w cache
expect 0 --cache-dir /proc/nowhere fetch "$url" -o got --force
same got www/blob "no cache to be had"
says 'without a cache'

# ---- directories that others may write to ----
for directory in cache cache/blobs cache/documents; do
  rm -rf cache
  cp -a good cache
  mkdir -p cache/documents
  chmod o+w "$directory"
  forget_requests
  expect 0 fetch "$url" -o got --force
  same got www/blob "others may write to $directory"
  says 'continuing without a cache'
  says "$directory: open directory: group or others may write to it"
  (($(data_requests) > 0)) || fail "others may write to $directory: it was believed"
  expect 7 cache ls
done

# ---- the budget ----
rm -rf cache
for i in 1 2 3 4 5 6; do
  expect 0 --cache-size 3500K fetch "$nginx_url/$i" -o got --force
  same got "www/$i"
  taken=$(du -s --block-size=1 cache/blobs | cut -f1)
  ((taken <= 3600 * 1024)) || fail "the cache takes $taken bytes of 3500K"
done
expect 0 fetch --offline "$nginx_url/6" -o got --force
expect 5 fetch --offline "$nginx_url/1" -o got --force
expect 0 cache pin "$nginx_url/4"
for i in 1 2 3; do expect 0 --cache-size 3500K fetch "$nginx_url/$i" -o got --force; done
expect 0 fetch --offline "$nginx_url/4" -o got --force
same got www/4 "pinned"
# A blob that is larger than the budget comes through all the same.
expect 0 --cache-size 2M fetch "$url" -o got --force
same got www/blob "larger than the budget"
taken=$(du -s --block-size=1 cache/blobs | cut -f1)
((taken <= 3600 * 1024)) || fail "the cache takes $taken bytes after a blob that is too large"
expect 0 cache unpin "$nginx_url/4"
expect 0 cache gc --max-size 0
equal "entries after gc" "$("$SHUNT" --json cache ls | jq '.entries | length')" 0
