#!/usr/bin/env bash
# A body whose size the server does not tell, and one without an end: a stream is passed on as it
# comes, a range from the start is left when it is there, and anything else is refused before it
# costs anything. Nothing is kept of it.
# shellcheck source=tests/cli/lib.sh
source "$(dirname "$0")/lib.sh"
need_command curl jq python3
[[ -x ${FAULTSERVER-} ]] || skip "FAULTSERVER has to name a program"
cd "$work"
mkdir temporary
export SHUNT_CACHE_DIR=$work/cache TMPDIR=$work/temporary

# serve SIZE OPTION...: sets $url.
serve() {
  rm -f port log
  "$FAULTSERVER" --size "$1" --seed 1 --port-file port --log log --faults unsized=1 "${@:2}" &
  server=$!
  background+=("$server")
  while [[ ! -s port ]]; do sleep 0.02; done
  url=http://127.0.0.1:$(cat port)/blob
}

stop_server() {
  kill "$server"
  wait "$server" 2>/dev/null || true
}

# ---- with an end ----
serve 3000000
curl -s --noproxy '*' -o blob "$url"
equal "size of the blob" "$(stat -c %s blob)" 3000000
expect 0 --json fetch "$url" -o got
same got blob "to a file"
equal "size" "$(json .size)" 3000000
equal "bytes fetched" "$(json .bytes_fetched)" 3000000
expect 0 -q fetch "$url"
same out blob "to a stream"
expect 0 -q fetch "$url" --range 0-
same out blob "from the start to the end"
expect 0 -q fetch "$url" --range 0+9M
same out blob "more than there is"
stop_server

# ---- without an end ----
serve 4000000000000000000
for to in out file; do
  if [[ $to == out ]]; then
    run --json fetch "$url" --range 0+4K
    cp out got && cp err out
  else
    run --json fetch "$url" --range 0-4095 -o got --force
  fi
  equal "exit, a range from the start" "$rc" 0
  same got <(head -c 4096 blob) "a range from the start"
  equal "bytes fetched for it" "$(json .bytes_fetched)" 4096
  equal "a size that nobody knows" "$(json .size)" 0
done
before=$(grep -c . log)
for ranges in '--range 1+4K' '--range -4K' '--range 4096-' '--range 0+4K --range 8K+4K' \
  '--range 0+1 --range 0+1'; do
  # shellcheck disable=SC2086
  expect 4 fetch "$url" $ranges -o refused
  says 'does not tell its size'
  [[ ! -e refused ]] || fail "$ranges: there is a file"
done
for arguments in '' '--head' '--range 0+4K'; do
  # shellcheck disable=SC2086
  expect 7 cache-warm "$url" $arguments
  says 'does not tell its size'
done
# One request each, to see what it is like.
equal "requests for what is refused" "$(($(grep -c . log) - before))" 8
[[ -z $(find cache/blobs -type f -size +1k) ]] || fail "something of it is in the cache"
stop_server

# A stream: its first bytes are there at once, and none of it is put by.
serve 4000000000000000000 --rate 300000
mkfifo pipe
"$SHUNT" -q fetch "$url" >pipe 2>err &
pid=$!
background+=("$pid")
head -c 65536 pipe >first
same first <(head -c 65536 blob) "the first bytes"
# The consumer has gone: that is a failure, and the end.
exits "$pid" 7 "the consumer has gone" 60
stop_server

serve 4000000000000000000 --rate 300000
"$SHUNT" -q fetch "$url" >pipe 2>err &
pid=$!
background+=("$pid")
exec 5<pipe
head -c 65536 <&5 >first
[[ -z $(find "/proc/$pid/fd" -lname "$work/temporary/*") ]] || fail "it goes to a temporary file"
# A consumer that reads no more: stopped all the same.
kill -TERM "$pid"
exits "$pid" 143 "stopped" 30
says 'interrupted'
! grep -q 'in the cache' err || fail "it says that something of it is kept: $(said)"
exec 5<&-
stop_server

# What has a size, and a version, is kept, and the message says so.
rm -f port
"$FAULTSERVER" --size 50000000 --rate 300000 --port-file port &
server=$!
background+=("$server")
while [[ ! -s port ]]; do sleep 0.02; done
"$SHUNT" fetch "http://127.0.0.1:$(cat port)/blob" --jobs 1 >pipe 2>err &
pid=$!
background+=("$pid")
exec 5<pipe
head -c 65536 <&5 >first
kill -TERM "$pid"
exits "$pid" 143 "stopped, of what is kept" 30
says 'what was downloaded stays in the cache'
exec 5<&-
stop_server

# To a file: some of the disk is left free.
mkdir disk
if ((EUID == 0)) && mount -t tmpfs -o size=64m tmpfs disk 2>/dev/null; then
  mounts=("$work/disk" "${mounts[@]}")
  serve 4000000000000000000
  expect 7 fetch "$url" -o disk/got
  says 'it has not ended'
  [[ ! -e disk/got ]] || fail "half of it is there"
  no_leftovers disk
  stop_server
fi

# ---- what has to be read at random ----
generate plain plain
cat >chunks.py <<'PYTHON'
import http.server
class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = 'HTTP/1.1'
    def log_message(self, *args): pass
    def do_GET(self):
        self.send_response(200)
        self.send_header('Transfer-Encoding', 'chunked')
        self.end_headers()
        data = open('plain', 'rb').read()
        for at in range(0, len(data), 1000):
            piece = data[at:at + 1000]
            self.wfile.write(b'%x\r\n%s\r\n' % (len(piece), piece))
        self.wfile.write(b'0\r\n\r\n')
server = http.server.ThreadingHTTPServer(('127.0.0.1', 0), Handler)
print(server.server_address[1], flush=True)
server.serve_forever()
PYTHON
python3 chunks.py >chunks.port 2>/dev/null &
background+=("$!")
while [[ ! -s chunks.port ]]; do sleep 0.02; done
expect 0 faststart "http://127.0.0.1:$(cat chunks.port)/plain" -o front
check plain front
[[ -z $(ls temporary) ]] || fail "left in TMPDIR: $(ls temporary)"
