#!/usr/bin/env bash
# Signals that the program brings upon itself do not end it: a limit on the size of files, another
# program that opens the file just then, a limit on the time of the processor.
# shellcheck source=tests/cli/lib.sh
source "$(dirname "$0")/lib.sh"
need_command python3
cd "$work"

# A limit on the size of files, from one that holds nothing to one that does no harm: the result or
# the original, never a death, and nothing in between.
# sized NAME STRATEGY LIMIT: one run, and a dry run, which knows.
sized() {
  local name=$1 strategy=$2 limit=$3 planned=0
  what="$strategy of $name under ulimit -f $limit"
  cp "$name" film
  (ulimit -f "$limit" && "$SHUNT" faststart -n --strategy "$strategy" film) >/dev/null 2>&1 || planned=$?
  same "$name" film "a dry run, $what"
  rc=0
  (ulimit -f "$limit" && "$SHUNT" faststart --strategy "$strategy" film) >/dev/null 2>&1 || rc=$?
  case $rc in
    0) check "$name" film ;;
    7) same "$name" film "$what" ;;
    *) fail "exit $rc, $what" ;;
  esac
  no_leftovers .
  # The size of the journal, 16 KiB for a shift, is met when it is written.
  ((planned == rc || limit < 24)) || fail "a dry run says $planned and the run $rc, $what"
}
big_file big 1
generate reserve-roomy roomy
for strategy in auto insert copy shift; do
  for limit in 0 1 4 8 16 24 512 1020 1032 1036 1100; do sized big "$strategy" "$limit"; done
done
for limit in 1 4 8 32 64 200 208 212; do
  for strategy in auto reserve; do sized roomy "$strategy" "$limit"; done
done

# limited CODE WHAT ARGUMENT...: under a limit of 64 KiB
limited() {
  local code=$1 what=$2
  shift 2
  rc=0
  (ulimit -f 64 && "$SHUNT" "$@") >"$work/out" 2>"$work/err" || rc=$?
  equal "exit under a limit on sizes, $what" "$rc" "$code"
}
limited 7 "-o" faststart big -o new
[[ ! -e new ]] || fail "half a file under a limit on sizes"
limited 7 "standard output" faststart big -o -
says 'File too large'
head -c 200000 /dev/urandom >noise
limited 7 "a stream" stream-sink --stdin -o new <noise
[[ ! -e new ]] || fail "half a stream under a limit on sizes"
no_leftovers .

# Another program keeps opening the file for writing: it is moved, or busy.
cat >disturb.py <<'PY'
import collections, os, shutil, subprocess, sys, threading
shunt, source = sys.argv[1], sys.argv[2]
outcomes = collections.Counter()
for _ in range(40):
    shutil.copyfile(source, "opened")
    over = threading.Event()
    def disturb():
        while not over.is_set():
            os.close(os.open("opened", os.O_WRONLY))
    thread = threading.Thread(target=disturb)
    thread.start()
    outcomes[subprocess.run([shunt, "-q", "faststart", "opened"], capture_output=True).returncode] += 1
    over.set()
    thread.join()
print(*(code for code in outcomes if code not in (0, 8)))
PY
generate plain plain
equal "unexpected ends beside a program that opens the file" "$(python3 disturb.py "$SHUNT" plain)" ""
no_leftovers .

# A limit on the time of the processor is a request to stop.
mkfifo slow
"$SHUNT" faststart - -o new <slow >/dev/null 2>&1 &
child=$!
background+=("$child")
exec 8>slow
head -c 5000 big >&8
kill -XCPU "$child"
exits "$child" 152 "the limit on the processor's time" 20
exec 8>&-
[[ ! -e new ]] || fail "half a file after SIGXCPU"
