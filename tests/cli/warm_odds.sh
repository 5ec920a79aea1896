#!/usr/bin/env bash
# cache-warm of what is out of the ordinary: a list from an editor that begins files with a byte
# order mark, a URL whose size nobody tells, what a player needs first of a film; ranges of nothing.
# shellcheck source=tests/cli/lib.sh
source "$(dirname "$0")/lib.sh"
# shellcheck source=tests/cli/servers.sh
source "$(dirname "$0")/servers.sh"
begin_with_cache

head -c 100000 /dev/urandom >www/a
generate plain www/film
: >www/empty
start_nginx www
url=$nginx_url

# ---- a byte order mark ----
printf '\xef\xbb\xbf%s\n' "$url/a 0-9" >list
expect 0 --json cache-warm --from list
equal "the source behind a mark" "$(json '.sources[0].source')" "$url/a"
equal "its ranges" "$(json '.sources[0].bytes_requested')" 10
printf '\xef\xbb\xbf# a comment\n%s\n' "$url/a" >list
expect 0 --json cache-warm --from list
equal "sources" "$(json '.sources | length')" 1
# Only in front.
printf '%s\n\xef\xbb\xbf%s\n' "$url/a" "$url/a" >list
run --json cache-warm --from list
equal "a mark on another line" "$(json '.sources[1].source')" $'\xef\xbb\xbf'"$url/a"

# ---- what comes first ----
expect 0 cache-warm --head "$url/film"
says "film: [0-9.]+ KiB, .*fetched in"
! grep -q ': 0 B' err || fail "--head: $(said)"
expect 0 cache-warm "$url/empty"
says 'empty: 0 B'

# ---- nothing to warm ----
# As where http:// was forgotten, and a file of that name is there.
expect 0 cache-warm www/a
says '^www/a: local: nothing to warm$'
expect 0 fetch www/a -o copy
says '^www/a: 97.7 KiB'
: >none
expect 0 cache-warm --from none
says '^none: no sources: nothing to warm$'
expect 0 cache-warm -q --from none
[[ ! -s err ]] || fail "--quiet: $(said)"
rm -rf empty-cache
expect 0 --cache-dir "$work/empty-cache" cache verify
says "^$work/empty-cache: nothing to verify: the cache is empty\$"

# ---- ranges of nothing ----
for range in -1 0- 0-9 0+10; do
  for source in "$url/empty" www/empty; do
    expect 0 fetch "$source" --range="$range"
    silent
  done
done
expect 2 fetch "$url/empty" --range=1-
expect 2 fetch "$url/a" --range=100000-

# ---- a size that nobody tells ----
cat >server.py <<'PYTHON'
import http.server, sys
class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = 'HTTP/1.1'
    def do_GET(self):
        self.send_response(200)
        self.send_header('Transfer-Encoding', 'chunked')
        self.end_headers()
        self.wfile.write(b'3\r\nabc\r\n0\r\n\r\n')
    def log_message(self, *arguments):
        pass
server = http.server.ThreadingHTTPServer(('127.0.0.1', 0), Handler)
print(server.server_address[1], file=open('port.new', 'w'), flush=True)
__import__('os').rename('port.new', 'port')
server.serve_forever()
PYTHON
python3 server.py &
background+=($!)
appears port "$!" || skip "no server"
unsized=http://127.0.0.1:$(cat port)/x
expect 7 cache-warm "$unsized"
says "$unsized: the cache cannot keep it: the server does not tell its size"
expect 3 cache-warm "$unsized" "$url/a"
expect 7 --json cache-warm "$unsized"
equal "its error in JSON" "$(json '.sources[0].error.code')" 7
# It can be fetched all the same.
expect 0 fetch "$unsized"
equal "what it brings" "$(cat out)" abc
