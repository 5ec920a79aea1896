#!/usr/bin/env bash
# The consumer of a stream as a child (--to): it has all of it or none, and its exit status counts.
# Whatever makes the stream fail, the consumer is killed before it sees the end of its input.
# shellcheck disable=SC2016  # what the commands expand
# shellcheck source=tests/cli/lib.sh
source "$(dirname "$0")/lib.sh"
# shellcheck source=tests/cli/sinks.sh
source "$(dirname "$0")/sinks.sh"
need_command python3 nbdcopy zstd jq setsid
client="python3 $(realpath "$(dirname "$0")")/nbd_client.py"
export client
cd "$work"
head -c 8M /dev/urandom >random
# What a consumer that sees the end leaves: it does not end by a signal that can be ignored, and what
# comes last in its pipeline sees an end when the first one dies.
keeps='echo $$ >consumer; trap "" INT TERM HUP PIPE; cat | { cat >kept; touch whole; }'
# nothing_kept WHAT: no consumer has taken what it had for all.
nothing_kept() {
  [[ ! -s consumer ]] || gone "$(<consumer)" 60 || fail "$1: the consumer goes on"
  [[ ! -e whole ]] || fail "$1: the consumer has seen an end"
  rm -f kept whole consumer
}
all_kept() {
  [[ -e whole ]] || fail "$1: the consumer has seen no end"
  same kept random "$1"
  rm -f kept whole consumer
}

# ---- all is well ----
expect 0 stream-sink --size 8M --to "$keeps" --run 'nbdcopy random "$uri"'
says '8.00 MiB out'
silent
all_kept "--run"
run stream-sink --stdin --to "$keeps" <random
equal "exit of --stdin" "$rc" 0
all_kept "--stdin"
"$SHUNT" stream-sink --size 8M --listen "unix:$work/disk.sock" --to "$keeps" 2>err &
sink=$!
background+=("$sink")
listens "$work/disk.sock" "$sink" || fail "it does not listen: $(said)"
nbdcopy random "nbd+unix:///?socket=$work/disk.sock"
kill -TERM "$sink"
exits "$sink" 0 "--listen" 60
all_kept "--listen"
# What it says on standard output is data; the document goes elsewhere, and so does what COMMAND says.
expect 0 --json stream-sink --size 8M --to 'zstd -qc' --run 'echo words; nbdcopy random "$uri"'
zstd -dqc out >back || fail "not zstd: $(said)"
same back random "through zstd"
says '^words$'
cp out packed
take_summary err
equal "consumer_status" "$(json .consumer_status)" 0
# It is waited for, however long it takes, and it has the rest of the input before it ends.
mkfifo go
"$SHUNT" stream-sink --stdin --to 'cat go; cat >kept; touch here; cat go; touch whole' <random 2>err &
sink=$!
background+=("$sink")
turns "$sink" || fail "a consumer that does not read yet is not waited for: $(said)"
: >go
appears here "$sink" || fail "the consumer does not see the end: $(said)"
turns "$sink" || fail "a consumer at its work is not waited for: $(said)"
: >go
exits "$sink" 0 "a slow consumer" 60
rm here go
all_kept "a slow consumer"
# Exactly as much as there is, without looking for the end.
run stream-sink --stdin --to 'head -c 8388608 >kept; touch whole' <random
equal "exit, a consumer that knows how much comes" "$rc" 0
all_kept "a consumer that knows how much comes"

# ---- the stream fails ----
for policy in auto at-end; do
  for pair in '(exec $client "$unixsocket" write:0:4194304:1 die); true|1' 'nbdcopy random "$uri"; exit 3|3' ':|1' \
    '$client "$unixsocket" write:0:4194304:1 begin:4194304:65536:100|1' 'kill -TERM $$|143'; do
    command=${pair%|*} code=${pair##*|}
    what="--run '$command', $policy"
    expect "$code" --json stream-sink --size 8M --commit $policy --to "$keeps" --run "$command"
    take_summary err
    equal "$what: consumer_status" "$(json .consumer_status)" null
    equal "$what: code" "$(json .error.code)" "$code"
    nothing_kept "$what"
  done
  expect 1 stream-sink --size 8M --commit window --to "$keeps" \
    --run '$client "$unixsocket" write:4194304:4096:1 write:0:512:1 >said || true'
  nothing_kept "a write that is refused"

  # Stopped, or dead without a word.
  for pair in INT:130 TERM:143 HUP:129 KILL:137; do
    signal=${pair%:*} code=${pair#*:}
    rm -f here
    setsid "$SHUNT" stream-sink --size 8M --commit $policy --to "$keeps" \
      --run '$client "$unixsocket" write:0:4194304:1 flush touch:here until:never' 2>err &
    sink=$!
    background+=("$sink")
    appears here "$sink" || fail "no client: $(said)"
    { kill -"$signal" "$sink" && exits "$sink" "$code" "SIG$signal, $policy" 60; } 2>/dev/null
    nothing_kept "SIG$signal, $policy"
  done
done
# guards: the children of $sink that run the same program.
guards() {
  local child
  for child in $(<"/proc/$sink/task/$sink/children"); do
    [[ $(readlink "/proc/$child/exe") != $(readlink "/proc/$sink/exe") ]] || echo "$child"
  done
}
# A guard that was stopped keeps nobody waiting, whether the stream is whole or not.
for code in 0 3; do
  rm -f here "go-$code"
  "$SHUNT" stream-sink --size 8M --to "$keeps" \
    --run "touch here; until [ -e go-$code ]; do sleep 0.02; done; nbdcopy random \"\$uri\"; exit $code" 2>err &
  sink=$!
  background+=("$sink")
  appears here "$sink" || fail "it does not begin: $(said)"
  guard=$(guards)
  kill -STOP "$guard"
  touch "go-$code"
  exits "$sink" "$code" "its guard is stopped" 60
  kill -KILL "$guard" 2>/dev/null || true
  if ((code == 0)); then all_kept "its guard is stopped"; else nothing_kept "its guard is stopped"; fi
done

# Killed with all that bears its name or has it in its arguments, as killall and pkill -f do it; and
# the command itself is dead when there is no guard any more either.
for pair in 'the name|/shunt/' 'the guard as well|//'; do
  what=${pair%|*} pattern=${pair#*|}
  rm -f here guards
  if [[ $pattern == // ]]; then consumes='echo $$ >consumer; cat >kept; sleep 1; touch whole'; else consumes=$keeps; fi
  "$SHUNT" stream-sink --size 8M --to "$consumes" \
    --run "\$client \"\$unixsocket\" write:0:4194304:1 flush touch:here until:killed-${#pattern}" 2>err &
  sink=$!
  background+=("$sink")
  appears here "$sink" || fail "no client: $(said)"
  for guard in $(guards); do
    echo "$guard $(<"/proc/$guard/comm") $(tr '\0' ' ' <"/proc/$guard/cmdline")" >>guards
  done
  equal "guards" "$(wc -l <guards)" 1
  { awk "$pattern { print \$1 }" guards | xargs -r kill -KILL && kill -KILL "$sink" && wait "$sink" || true; } 2>/dev/null
  nothing_kept "killed with $what"
  touch "killed-${#pattern}" # the client goes
done

mkfifo pipe
"$SHUNT" stream-sink --stdin --to "$keeps" <pipe 2>err &
sink=$!
background+=("$sink")
exec 8>pipe
head -c 4M random >&8
until [[ -e kept && $(stat -c %s kept) == 4194304 ]]; do kill -0 "$sink" || break; done
kill -INT "$sink"
exits "$sink" 130 "--stdin, stopped" 60
says '^stopped: 4.00 MiB out'
exec 8>&-
nothing_kept "--stdin, stopped"
# Stopped while only the consumer is at work.
rm -f here
"$SHUNT" stream-sink --stdin --to 'cat >kept; touch here; sleep 100; touch whole' <random 2>err &
sink=$!
background+=("$sink")
appears here "$sink" || fail "the consumer does not see the end: $(said)"
kill -INT "$sink"
exits "$sink" 130 "stopped at the consumer's work" 60
[[ ! -e whole ]] || fail "the consumer goes on"

# Stopped by what is typed at a terminal, whose foreground the consumer is not in.
cat >terminal.py <<'END'
import os, pty, sys, time
pid, terminal = pty.fork()
if pid == 0:
    os.execv(sys.argv[1], sys.argv[1:])
while not os.path.exists("here"):
    time.sleep(0.02)
os.write(terminal, b"\3")
try:
    while os.read(terminal, 4096):
        pass
except OSError:
    pass
sys.exit(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]))
END
rm -f here
rc=0
timeout 60 python3 terminal.py "$SHUNT" --no-progress stream-sink --size 8M --to "$keeps" \
  --run '$client "$unixsocket" write:0:4194304:1 flush touch:here until:never' || rc=$?
equal "exit, stopped from a terminal" "$rc" 130
nothing_kept "stopped from a terminal"

# It asks at a terminal, at its start or at its end, reading or changing the terminal's settings: it
# would be stopped for ever.
for asks in 'read -r word </dev/tty; cat >kept; touch whole' 'cat >kept; read -r word </dev/tty; touch whole' \
  'cat >kept | (read -r word </dev/tty); touch whole' 'stty -echo </dev/tty; cat >kept; touch whole'; do
  for input in "--size 8M --run 'nbdcopy random \"\$uri\"'" "--stdin <random"; do
    echo "exec $SHUNT --no-progress stream-sink --to '$asks' $input" >asking.sh
    on_terminal 80 sh asking.sh
    equal "exit, $asks, $input" "$rc" 1
    grep -Eq 'the command of --to (reads from|changes) the terminal' terminal || fail "$asks, $input: $(cat terminal)"
    nothing_kept "$asks, $input"
  done
done

# ---- the consumer fails ----
expect 1 --json stream-sink --size 8M --to 'cat >kept; exit 5' --run 'nbdcopy random "$uri"'
take_summary err
equal "consumer_status" "$(json .consumer_status)" 5
equal "command_status" "$(json .command_status)" 0
equal "code" "$(json .error.code)" 1
run stream-sink --stdin --to 'cat >kept; kill -KILL $$' <random
equal "exit, a consumer that is killed" "$rc" 1
says 'the command of --to ended with status 137$'
run stream-sink --stdin --to '/nowhere/at/all' <random
equal "exit, a consumer that is not there" "$rc" 1
says 'ended with status 127'
# Before it had all: its status says why, and without one it is a closed pipe as any other.
run stream-sink --stdin --to 'head -c 100000 >kept; exit 6' <random
equal "exit, a consumer that fails early" "$rc" 1
says 'ended with status 6 before it had read the whole stream'
run stream-sink --stdin --to 'head -c 100000 >kept' <random
equal "exit, a consumer that ends early" "$rc" 7
says 'Broken pipe'
expect 1 stream-sink --size 8M --to 'head -c 100000 >kept; exit 6' --run 'nbdcopy random "$uri" 2>said || exit 9'
says 'ended with status 6'

# ---- usage ----
for arguments in "-o out" "-o -" "--mkfifo" "--force"; do
  # shellcheck disable=SC2086
  expect 2 stream-sink --stdin --to cat $arguments </dev/null
  silent
done
no_leftovers .
