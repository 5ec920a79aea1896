#!/usr/bin/env bash
# fetch from a server that fails on purpose: right bytes or a clear error, never wrong bytes; from
# several processes, some of which are killed.
# shellcheck source=tests/cli/lib.sh
source "$(dirname "$0")/lib.sh"
need_command curl jq
[[ -x ${FAULTSERVER-} ]] || skip "FAULTSERVER has to name a program"
cd "$work"
export SHUNT_CACHE_DIR=$work/cache

# serve OPTION...: sets $url and $server. The blob is the same each time.
serve() {
  rm -f port
  "$FAULTSERVER" --size 5000000 --seed 1 --port-file port --log log "$@" &
  server=$!
  background+=("$server")
  while [[ ! -s port ]]; do sleep 0.02; done
  url=http://127.0.0.1:$(cat port)/blob
}

stop_server() {
  kill "$server"
  wait "$server" 2>/dev/null || true
}

serve
curl -s --noproxy '*' -o blob "$url"
equal "size of the blob" "$(stat -c %s blob)" 5000000
stop_server

# Faults that a client can see through, one kind after the other.
for faults in whole=0.3 start=0.3 end=0.3 total=0.3 cut=0.4 reset=0.4 close=0.4 chunked=0.3 503=0.4 \
  500=0.3 "cut=0.2,reset=0.2,close=0.1,whole=0.1,start=0.1,503=0.1"; do
  serve --faults "$faults,seed=3,most=12"
  rm -rf cache got
  run fetch "$url" --jobs 3 -o got
  if ((rc == 0)); then
    same got blob "$faults"
  else
    ((rc == 5 || rc == 4)) || fail "$faults: exit $rc: $(said)"
    [[ ! -e got ]] || fail "$faults: a failure leaves a file"
  fi
  # Whatever was kept is right: with a server that behaves, the rest is fetched.
  stop_server
  serve
  # Another port is another URL; so the same bytes are asked for through the same one.
  expect 0 fetch "$url" -o second
  same second blob "$faults, afterwards"
  rm -f second
  stop_server
done

# An ETag that changes while the blob is read.
serve --faults etag=0.5,seed=5,most=3
for i in 1 2 3 4 5 6; do
  run fetch "$url" --jobs 2 -o got --force
  if ((rc == 0)); then same got blob etag; else ((rc == 5)) || fail "etag: exit $rc: $(said)"; fi
done
((rc == 0)) || fail "the server has long settled, and fetch still fails: $(said)"
stop_server

# Random reads by several processes under faults; some are killed.
rounds=3
[[ $full == 1 ]] && rounds=40
for ((round = 1; round <= rounds; ++round)); do
  serve --faults "cut=0.1,reset=0.1,close=0.05,start=0.05,503=0.02,whole=0.03,seed=$round"
  rm -rf cache
  for ((p = 1; p <= 4; ++p)); do
    (
      for ((i = 0; i < 6; ++i)); do
        at=$((RANDOM * 150)) size=$((RANDOM * 10 + 1)) code=0
        "$SHUNT" -q fetch "$url" --range $at+$size -o part$p --force 2>err$p || code=$?
        if ((code == 0)); then
          cmp -s part$p <(slice blob $at $size) || echo "wrong bytes at $at+$size" >>wrong
        elif ((code != 5 && code != 4 && code < 128)); then
          echo "exit $code: $(cat err$p)" >>wrong
        fi
      done
    ) &
    pids[p]=$!
  done
  "$SHUNT" -q fetch "$url" --max-rate 3M -o victim --force 2>err &
  victim=$!
  sleep 0.$((RANDOM % 6 + 2))
  kill -KILL "$victim" 2>/dev/null || true
  wait "$victim" 2>/dev/null || true
  for pid in "${pids[@]}"; do wait "$pid" || true; done
  stop_server
done
[[ ! -s wrong ]] || fail "$(sort wrong | uniq -c)"
