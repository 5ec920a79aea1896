#!/usr/bin/env bash
# The line of progress: bytes, rate and time left within the terminal's width; a stall, a retry and a
# wait for a lock; nothing on a dumb terminal, and nothing that was not asked for.
# shellcheck source=tests/cli/lib.sh
source "$(dirname "$0")/lib.sh"
need_command script stty python3 flock
[[ -x ${FAULTSERVER-} ]] || skip "FAULTSERVER has to name a program"
client="python3 $(realpath "$(dirname "$0")")/nbd_client.py"
cd "$work"
export SHUNT_CACHE_DIR=$work/cache SHUNT client

# shows PATTERN: some state of the line, or what else came out, has it.
shows() { drawn | grep -Eq -- "$1" || fail "the line never shows '$1': $(drawn | uniq | tail -5)${what:+ ($what)}"; }
# until_shown PATTERN: waits until some state of the line has it; for a while, as `shows` tells who waits
# for what never comes. For programs at that terminal, too.
until_shown() {
  local i
  for ((i = 0; i < 1500; ++i)); do
    ! drawn | grep -Eq -- "$1" || return 0
    sleep 0.02
  done
}
export -f drawn until_shown
export work
# ends_with PATTERN: what stays on the terminal.
ends_with() {
  tail -n 1 "$work/terminal" | tr -d '\r' | sed 's/.*\x1b\[K//' | grep -Eq -- "$1" ||
    fail "the last line is: $(tail -n 1 "$work/terminal" | cat -v)${what:+ ($what)}"
}

# ---- width, and what is in it ----
# Half of it, then nothing for a while: a rate, and a stall.
slow_input() {
  head -c 4000000 /dev/zero
  until_shown '[MK](iB)?/s'
  head -c 4000000 /dev/zero
  until_shown 'stalled 0:0[2-9]'
}
# The name of the output is wide: 24 characters that take two columns each.
name=$(printf '\xe6\x98\xa0\xe7\x94\xbb%.0s' {1..12}).raw
export -f slow_input
for columns in 80 20; do
  what="$columns columns"
  on_terminal "$columns" bash -c 'slow_input | "$0" stream-sink --stdin --force -o "$1"' "$SHUNT" "$name"
  equal "exit, $what" "$rc" 0
  fits $((columns - 1))
  shows '^(streaming .*)?[0-9.]+ ?[MK]'
  shows '[MK](iB)?/s'
  shows 'stalled 0:0[2-9]'
  ends_with '^7.63 MiB out'
done
# With a total there is a time left.
serve() {
  rm -f port
  "$FAULTSERVER" --size 3000000 --seed 1 --port-file port "$@" &
  server=$!
  background+=("$server")
  appears port "$server" || skip "the server does not start"
  url=http://127.0.0.1:$(cat port)/blob
}
stop_server() {
  kill "$server"
  wait "$server" 2>/dev/null || true
}
serve --rate 5000000
for columns in 40 20; do
  what="$columns columns of a download"
  rm -rf cache
  on_terminal "$columns" "$SHUNT" fetch --jobs 1 "$url" -o got --force
  equal "exit, $what" "$rc" 0
  fits $((columns - 1))
  shows '[0-9]+:[0-9][0-9]'
  if ((columns == 40)); then shows '^[0-9]+%  [0-9.]+M of 2.9M  [0-9.]+[KM]/s  0:0[0-9]$'; fi
  ends_with '2.86 MiB, 2.86 MiB fetched'
done
# It has become narrower meanwhile.
what="a terminal that is resized"
narrower() {
  head -c 4000000 /dev/zero
  until_shown 'long enough$'
  stty cols 30 <&2
  until ((29 >= $(drawn | tail -1 | wc -L))) || ((SECONDS > 30)); do sleep 0.02; done
}
export -f narrower
on_terminal 100 bash -c 'narrower | "$0" stream-sink --stdin --force -o "a file with a name that is long enough"' "$SHUNT"
equal "exit, $what" "$rc" 0
shows 'streaming  3.81 MiB .* long enough$'
drawn | tail -1 >last
((29 >= $(wc -L <last))) || fail "$what: $(cat last)"

# ---- what the cache had has no part in the rate ----
what="half of it from the cache"
stop_server
serve --rate 500000
rm -rf cache
expect 0 fetch --jobs 1 --range 0+2M "$url" -o part
on_terminal 120 "$SHUNT" fetch --jobs 1 "$url" -o got --force
equal "exit, $what" "$rc" 0
shows '2\.[0-9]* MiB of 2.86 MiB'
shows ' 0:0[1-3] left'
! drawn | grep -q 'MiB/s' || fail "$what: a rate of $(drawn | grep 'MiB/s' | tail -1)"
stop_server

# ---- several at once: one line for all ----
what="three sources"
serve --rate 1500000
on_terminal 120 "$SHUNT" cache-warm --jobs 3 "$url"1 "$url"2 "$url"3
equal "exit, $what" "$rc" 0
shows '^[0-3]/3 sources'
stop_server
if can_trace; then
  what="faststart --jobs 3"
  for i in 1 2 3 4; do big_file "$i.mp4" 1; done
  # Each sync takes a while, as on a slow disk.
  on_terminal 100 "${traced[@]}" -o /dev/null -e trace=fsync,fdatasync \
    -e inject=fsync,fdatasync:delay_enter=400000 "$SHUNT" faststart --strategy copy --jobs 3 [1-4].mp4
  equal "exit, $what" "$rc" 0
  fits 99
  shows '^[0-4]/4 files'
  for i in 1 2 3 4; do
    grep -q "$i.mp4: moved" "$work/terminal" || fail "$what: no summary of $i.mp4: $(cat -v "$work/terminal")"
  done
  # Every state is of all files: there is one line.
  ! drawn | grep -Evq '^[0-4]/4 files' || fail "$what: $(drawn | grep -v '/4 files' | head -3)"
else
  echo "not tested, no strace: faststart --jobs"
fi

# ---- a retry, and a wait for a lock ----
cat >busy.py <<'P'
import http.server, os, sys
asked = 0
class Busy(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    def do_GET(self):
        global asked
        asked += 1
        if asked < 2:
            self.send_response(503)
            self.send_header("Retry-After", "1")
            self.send_header("Content-Length", "0")
            return self.end_headers()
        self.send_response(200)
        self.send_header("Content-Length", "5")
        self.end_headers()
        self.wfile.write(b"right")
    def log_message(self, *_): pass
server = http.server.HTTPServer(("127.0.0.1", 0), Busy)
open("port.new", "w").write(str(server.server_port))
os.rename("port.new", "port")
server.serve_forever()
P
for columns in 100 20; do
  what="a retry on $columns columns"
  rm -rf port cache
  python3 busy.py &
  server=$!
  background+=("$server")
  appears port "$server" || fail "no server"
  on_terminal "$columns" "$SHUNT" fetch "http://127.0.0.1:$(cat port)/x" -o got --force
  equal "exit, $what" "$rc" 0
  shows 'retry 1'
  fits $((columns - 1))
  stop_server
done
for columns in 100 20; do
  what="a wait for a lock on $columns columns"
  : >terminal
  flock --no-fork cache/blobs/.lock bash -c 'touch held; until_shown locked' &
  holder=$!
  background+=("$holder")
  appears held "$holder" || fail "the lock cannot be had"
  on_terminal "$columns" "$SHUNT" cache gc --max-size 0
  equal "exit, $what" "$rc" 0
  shows 'locked'
  fits $((columns - 1))
  wait "$holder"
  rm held
done

# ---- a FIFO that nobody reads yet ----
mkfifo fifo
generate plain plain
for command in "faststart plain -o fifo" "fetch plain -o fifo" "stream-sink --stdin -o fifo"; do
  for columns in 100 20; do
    what="$command on $columns columns, without a reader"
    # shellcheck disable=SC2016  # for that shell
    on_terminal "$columns" bash -c '"$0" $1 <plain & until_shown "waiting for"; cat fifo >read; wait $!' "$SHUNT" "$command"
    equal "exit, $what" "$rc" 0
    if ((columns == 20)); then shows 'waiting for'; else shows 'waiting for a reader of fifo'; fi
    fits $((columns - 1))
  done
done

# ---- a disk that nobody is connected to ----
# One that comes after a while, and is there for a while without a word.
with_client() {
  rm -f go said
  "$SHUNT" stream-sink --size 1M --listen "unix:$PWD/disk" --until-disconnect --return-time 0 -o out --force &
  local sink=$!
  until_shown 'waiting for'
  $client disk write:0:1048576:1 touch:here until:go leave &
  while [[ ! -e here ]]; do kill -0 "$sink" || exit 9; done
  rm here
  # Until the line is drawn anew, and has been looked at often.
  while drawn | tail -1 | grep -q 'waiting for' && ((SECONDS < 30)); do sleep 0.02; done
  printf '\nconnected\n' >&2
  turns "$sink" 10 || exit 8
  touch go
  wait "$sink"
}
export -f with_client turns
for columns in 100 20; do
  what="nobody connected on $columns columns"
  on_terminal "$columns" bash -c with_client
  equal "exit, $what" "$rc" 0
  fits $((columns - 1))
  shows 'waiting for'
  if ((columns == 100)); then shows 'waiting for a client +out$'; fi
  # Since the client is there.
  sed -n '/connected/,$p' terminal >since
  mv since terminal
  ! drawn | grep -q 'waiting for' || fail "$what: a client that is there is waited for"
done

# ---- where it is not to be ----
for terminal in dumb -; do
  what="TERM $terminal"
  for arguments in "stream-sink --stdin --force -o out" "--color auto -v stream-sink --stdin --force -o out"; do
    # shellcheck disable=SC2086
    TERMINAL=$terminal on_terminal 80 bash -c 'arguments=$1; (head -c 4000000 /dev/zero; sleep 0.8) | "$0" $arguments' "$SHUNT" "$arguments"
    equal "exit, $what" "$rc" 0
    plain
    ends_with '^3.81 MiB out'
  done
done
for option in --quiet --json --no-progress; do
  what=$option
  on_terminal 80 bash -c '(head -c 4000000 /dev/zero; sleep 0.8) | "$0" "$1" stream-sink --stdin --force -o out' "$SHUNT" "$option"
  equal "exit, $what" "$rc" 0
  plain
  case $option in
    --quiet) [[ ! -s terminal ]] || fail "$what says: $(cat terminal)" ;;
    --json) head -1 terminal | grep -q '^{"schema_version":1' || fail "$what says: $(cat terminal)" ;;
    *) ends_with '^3.81 MiB out' ;;
  esac
done
