#!/usr/bin/env bash
# stream-sink on terminals, with little of everything, and beside other programs: the whole image, or
# a reason and no output.
# shellcheck source=tests/cli/lib.sh
source "$(dirname "$0")/lib.sh"
# shellcheck source=tests/cli/sinks.sh
source "$(dirname "$0")/sinks.sh"
need_command nbdcopy
cd "$work"
head -c 3M /dev/urandom >original
truncate -s 4M original


fresh() { subject=$work/original; }
result() { same got "$work/original" "$what"; }
untouched() { [[ ! -e got ]] || fail "$what, exit $rc: there is a result"; }
for policy in window at-end; do
  command=(stream-sink --size 4M --commit "$policy" -o got --run "nbdcopy '$work/original' \"\$uri\"")
  circumstance "by itself" plainly
  ((rc == 0)) || fail "$what: exit $rc: $(said)"
  on_terminals
  within_limits
done
# With little memory, what is held goes to a file.
command=(stream-sink --size 4M --commit at-end --memory 2M --spill . -o got
  --run "nbdcopy '$work/original' \"\$uri\"")
circumstance "by itself, spilling" plainly
((rc == 0)) || fail "$what: exit $rc: $(said)"
within_limits
# What is at the output's name.
command=(stream-sink --size 4M --force -o got --run "nbdcopy '$work/original' \"\$uri\"")
fresh() {
  echo before >got
  subject=got
}
untouched() { grep -q '^before' got || fail "$what, exit $rc: what was there has gone"; }
circumstance "while another program opens what it replaces" beside_one opens
circumstance "while another program has what it replaces locked" beside_one locks
# A stream that is in order already.
fresh() { :; }
untouched() { [[ ! -e got ]] || fail "$what, exit $rc: there is a result"; }
command=(stream-sink --stdin -o got)
plain_stdin() { timeout 120 "$SHUNT" "${command[@]}" >"$work/out" 2>"$work/err" < <(cat "$work/original") || rc=$?; }
circumstance "by itself" plain_stdin
((rc == 0)) || fail "$what: exit $rc: $(said)"
