#!/usr/bin/env bash
# Several processes on one cold blob: each block is fetched once, whoever asks, and whoever dies.
# shellcheck source=tests/cli/lib.sh
source "$(dirname "$0")/lib.sh"
# shellcheck source=tests/cli/servers.sh
source "$(dirname "$0")/servers.sh"
begin_with_cache

head -c 40000000 /dev/urandom >www/blob
start_nginx www

for round in sequential scattered; do
  rm -rf cache
  pids=()
  for i in 1 2 3 4; do
    ranges=()
    if [[ $round == scattered ]]; then
      for ((r = 0; r < 60; ++r)); do ranges+=(--range $((RANDOM * 1200 + RANDOM))+9000); done
      ranges+=(--range 0-)
    fi
    printf '%s\n' "${ranges[@]}" >ranges$i
    "$SHUNT" --json fetch "$nginx_url/blob" "${ranges[@]}" -o out$i --force >report$i 2>err$i &
    pids+=($!)
  done
  for pid in "${pids[@]}"; do wait "$pid" || fail "$round: a process failed: $(cat err?)"; done
  for i in 1 2 3 4; do
    if [[ $round == sequential ]]; then
      same out$i www/blob "$round"
    else
      same <(tail -c 40000000 out$i) www/blob "$round"
    fi
  done
  equal "$round: bytes fetched by all together" "$(jq -s 'map(.bytes_fetched) | add' report?)" 40000000
done

# One is killed in the middle, the others go on with what it had claimed. It is too slow to be done
# before, and the other one is so far that it has written something.
for round in 1 2 3; do
  rm -rf cache out1
  "$SHUNT" fetch "$nginx_url/blob" --max-rate 4M -o killed --force 2>err &
  victim=$!
  until (($("$SHUNT" --json cache ls | jq '[.entries[].bytes_cached] | add // 0') > round * 300000)); do
    kill -0 "$victim" || break
  done
  "$SHUNT" --json fetch "$nginx_url/blob" -o out1 --force >report1 2>err1 &
  other=$!
  until [[ -s .out1.shunt-new || -e out1 ]]; do kill -0 "$other" 2>/dev/null || break; done
  kill -KILL "$victim"
  wait "$victim" 2>/dev/null || true
  wait "$other" || fail "round $round: $(cat err1)"
  same out1 www/blob "round $round"
  (($(jq .bytes_fetched report1) <= 40000000)) || fail "round $round: more than all was fetched"
done
rm -f .killed.shunt-new
