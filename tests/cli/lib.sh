# shellcheck shell=bash disable=SC2034
# What the command-line tests share; each of them sources this file first.
#
# From the environment:
#   SHUNT            the program                    MP4GEN    writes the generated files
#   SHUNT_CORPUS     a folder of real files, or ""  MP4CHECK  holds a result against its original
#   SHUNT_SANITIZED  1: a sanitizer build, whose memory says nothing
#   SHUNT_TEST_FULL  1: every file with every strategy, instead of a sample
#
# A script exits 0 when all is well, 1 when not, and 77 when it could not test, with the reason.
# $work is a folder of its own that goes away with it, and so do the file systems mounted in it.
set -euo pipefail

# Descriptors of whoever runs this are not for the program: some tests count them.
for ((fd = 3; fd < 10; ++fd)); do eval "exec $fd>&-"; done

failures=0
mounts=()
background=()

fail() {
  echo "FAILED: $*"
  failures=$((failures + 1))
}

skip() {
  echo "skipped: $*"
  exit 77
}

[[ -x ${SHUNT-} && -x ${MP4GEN-} && -x ${MP4CHECK-} ]] ||
  skip "SHUNT, MP4GEN and MP4CHECK have to name programs"
corpus=${SHUNT_CORPUS-}
full=${SHUNT_TEST_FULL-0}
sanitized=${SHUNT_SANITIZED-0}
# Neither the configuration nor the settings of whoever runs this.
unset SHUNT_WINDOW SHUNT_READ_WINDOW SHUNT_COMMIT SHUNT_MEMORY SHUNT_SPILL
unset SHUNT_STRATEGY SHUNT_VERIFY SHUNT_PADDING SHUNT_JOBS SHUNT_QUIET SHUNT_VERBOSE SHUNT_JSON \
  SHUNT_COLOR SHUNT_NO_PROGRESS SHUNT_CACHE_DIR SHUNT_CACHE_SIZE SHUNT_PLATFORM SHUNT_PLAIN_HTTP \
  SHUNT_AUTHFILE SHUNT_MAX_RATE SHUNT_OFFLINE SHUNT_NO_CACHE SHUNT_HEADER SHUNT_SPARSE \
  SHUNT_DIGEST SHUNT_RETURN_TIME SHUNT_KEEP_INODE

work=$(mktemp -d "${TMPDIR:-/tmp}/shunt-cli.XXXXXX")
work=$(realpath "$work")
export XDG_CONFIG_HOME=$work/no-config XDG_CACHE_HOME=$work/no-cache
documents=$(mktemp "${TMPDIR:-/tmp}/shunt-cli.XXXXXX")

# keep_document ARGUMENT...: what shunt, run with these, printed with --json, for hold_documents.
keep_document() {
  local word command='' stream begin line
  [[ " $* " == *' --json '* ]] || return 0
  for word in "$@"; do
    case $command:$word in
      :faststart | :fetch | :cache-warm | :cache | :stream-sink) command=$word ;;
      cache:ls | cache:stat | cache:verify | cache:gc | cache:rm | cache:pin | cache:unpin) command+=" $word" ;;
    esac
  done
  [[ -f ${SHUNT_SOURCE_DIR-}/docs/schemas/${command// /-}.json ]] || return 0
  for stream in out err; do
    begin=''
    IFS= read -r -n 17 begin <"$work/$stream" || true
    [[ $begin == '{"schema_version"' ]] || continue
    IFS= read -r line <"$work/$stream" || continue
    printf '%s\t%s\n' "$command" "$line" >>"$documents"
  done
}

# hold_documents: every document that a run has printed is as docs/schemas says.
hold_documents() {
  [[ -s $documents && -d ${SHUNT_SOURCE_DIR-} ]] || return 0
  if ! python3 -c 'import jsonschema' 2>/dev/null; then
    echo "not checked, no python3-jsonschema: docs/schemas"
    return 0
  fi
  python3 "$SHUNT_SOURCE_DIR/tests/cli/schemas.py" "$SHUNT_SOURCE_DIR/docs/schemas" "$documents" ||
    failures=$((failures + 1))
}

clean_up() {
  local status=$? pid mount
  set +e
  # A signal may meet a child before it has become the program that it was made for.
  if ((BASHPID != $$)); then exit "$status"; fi
  for pid in "${background[@]}"; do
    kill -CONT "$pid" 2>/dev/null
    kill -KILL "$pid" 2>/dev/null
    wait "$pid" 2>/dev/null
  done
  for mount in "${mounts[@]}"; do
    umount "$mount" 2>/dev/null || umount -l "$mount"
  done
  if ((status == 0)); then hold_documents; fi
  rm -rf "$work" "$documents"
  if ((status == 0 && failures > 0)); then status=1; fi
  exit "$status"
}
trap clean_up EXIT
trap 'exit 130' INT
trap 'exit 143' TERM

need_command() {
  local name
  for name in "$@"; do
    command -v "$name" >/dev/null || skip "there is no $name"
  done
}

need_root() { ((EUID == 0)) || skip "needs root"; }

# strace may be missing, or not be allowed to trace.
can_trace() { command -v strace >/dev/null && strace -o /dev/null true 2>/dev/null; }

# "${traced[@]}" OPTION... PROGRAM...: runs it under strace. A sanitizer cannot look for leaks then: it
# would have to trace the program itself.
traced=(env "ASAN_OPTIONS=${ASAN_OPTIONS+$ASAN_OPTIONS:}detect_leaks=0" strace -f)

# with_fs NAME [SIZE]: mounts a fresh ext4, xfs, btrfs or tmpfs on $work/NAME, which $mnt names then.
# The image is sparse, so that a large SIZE costs nothing.
with_fs() {
  local name=$1 size=${2:-12G} image=$work/$1.img
  need_root
  mnt=$work/$name
  mkdir -p "$mnt"
  case $name in
    tmpfs) mount -t tmpfs -o "size=$size" tmpfs "$mnt" || skip "tmpfs cannot be mounted here" ;;
    ext4 | xfs | btrfs)
      need_command "mkfs.$name"
      truncate -s "$size" "$image"
      case $name in
        ext4) mkfs.ext4 -q -m 0 -E lazy_itable_init=1,lazy_journal_init=1 "$image" ;;
        xfs) mkfs.xfs -q -m reflink=1 "$image" ;;
        btrfs) mkfs.btrfs -q "$image" >/dev/null 2>&1 ;;
      esac
      mount -o loop "$image" "$mnt" || skip "$name cannot be loop-mounted here"
      ;;
    *) fail "no such file system: $name" && exit 1 ;;
  esac
  mounts=("$mnt" "${mounts[@]}")
}

# run ARGUMENT...: runs shunt; $rc is its exit status, $work/out and $work/err what it said.
# The time limit only guards against hanging.
run() {
  rc=0
  timeout 300 "$SHUNT" "$@" >"$work/out" 2>"$work/err" || rc=$?
  keep_document "$@"
}

said() { head -c 400 "$work/err" | tr '\n' '|'; }

# expect CODE ARGUMENT...: runs shunt and wants this exit status.
expect() {
  local code=$1
  shift
  run "$@"
  ((rc == code)) || fail "shunt $*: exit $rc instead of $code: $(said)"
}

# says PATTERN and tells PATTERN: what the last run wrote to standard error and to standard output.
says() { grep -Eq -- "$1" "$work/err" || fail "standard error lacks '$1': $(said)"; }
tells() { grep -Eq -- "$1" "$work/out" || fail "standard output lacks '$1': $(head -c 400 "$work/out")"; }
silent() { [[ ! -s $work/out ]] || fail "standard output is not empty: $(head -c 200 "$work/out" | tr -d '\0')"; }

same() { cmp -s "$1" "$2" || fail "$1 is not the same as $2${3:+ ($3)}"; }

# slice FILE START SIZE: that many of its bytes.
slice() { tail -c "+$(($2 + 1))" "$1" | head -c "$3" || true; }

equal() { [[ $2 == "$3" ]] || fail "$1: '$2' instead of '$3'"; }

# check ORIGINAL RESULT [OPTION...]: holds a result against its original.
check() {
  "$MP4CHECK" "$@" >"$work/check" 2>&1 || fail "$(cat "$work/check")${what:+ ($what)}"
}

# no_leftovers DIR: nothing of a run is left in it.
no_leftovers() {
  local left
  left=$(find "$1" -name '.*shunt*' -print)
  [[ -z $left ]] || fail "left behind: $left"
}

# state FILE: all that must not change of a file that is left alone; not the time of access.
state() { echo "$(stat -c '%i %f %h %u %g %s %y %z' "$1") $(sha256sum <"$1")"; }

generate() { "$MP4GEN" "$1" "$2"; }

# big_file OUT MIB: an MP4 with so much media, of random bytes that no track refers to, and moov
# behind them.
big_file() {
  local out=$1 bytes=$(($2 << 20)) plain=$work/big-plain moov_at size
  generate plain "$plain"
  size=$(stat -c %s "$plain")
  moov_at=$(($(grep -abo moov "$plain" | tail -1 | cut -d: -f1) - 4))
  {
    head -c "$moov_at" "$plain"
    # shellcheck disable=SC2059
    printf "$(printf '\\x%02x\\x%02x\\x%02x\\x%02x' $((bytes >> 24 & 255)) $((bytes >> 16 & 255)) \
      $((bytes >> 8 & 255)) $((bytes & 255)))mdat"
    head -c $((bytes - 8)) /dev/urandom
    tail -c $((size - moov_at)) "$plain"
  } >"$out"
}

# appears FILE PID: waits until FILE is there; false when the process ends without it.
appears() {
  while [[ ! -e $1 ]]; do kill -0 "$2" 2>/dev/null || return 1; done
}

# gone PID SECONDS: waits until the process has ended; false when it goes on for so long.
gone() {
  local i
  for ((i = 0; i < 50 * $2; ++i)); do
    kill -0 "$1" 2>/dev/null || return 0
    sleep 0.02
  done
  return 1
}

# exits PID CODE WHAT SECONDS: a process of this shell ends within that time, with that exit status,
# which $rc is then.
exits() {
  gone "$1" "$4" || { fail "$3: it goes on" && kill -KILL "$1"; }
  rc=0
  wait "$1" || rc=$?
  equal "exit, $3" "$rc" "$2"
}

# turns PID [TIMES]: waits until the first thread of the process has gone to sleep so often (5 times).
# stream-sink looks for the end, for signals and for its reader at intervals: whatever it would have
# done, it has done by then, however busy the machine is. False when the process has ended.
turns() {
  local state now until=0
  while state=$(cat "/proc/$1/status" 2>/dev/null) && [[ $state != *$'\nState:\tZ'* ]]; do
    now=${state##*$'\nvoluntary_ctxt_switches:\t'}
    now=${now%%$'\n'*}
    ((until > 0)) || until=$((now + ${2:-5}))
    ((now < until)) || return 0
    sleep 0.02
  done
  return 1
}

# pipe_holds DESCRIPTOR BYTES PID: waits until so much is in the pipe that is open here under that
# number, or the process has ended.
pipe_holds() {
  python3 -c '
import array, fcntl, os, sys, termios, time
pipe, most, process = int(sys.argv[1]), int(sys.argv[2]), sys.argv[3]
waiting = array.array("i", [0])
F_GETPIPE_SZ = 1032
while os.path.exists("/proc/" + process) and waiting[0] < (most or fcntl.fcntl(pipe, F_GETPIPE_SZ) - 65536):
    time.sleep(0.02)
    fcntl.ioctl(pipe, termios.FIONREAD, waiting)' "$1" "$2" "$3"
}

# pipe_fills DESCRIPTOR PID: the same, until nothing more goes into it.
pipe_fills() { pipe_holds "$1" 0 "$2"; }

# listens SOCKET PID: waits until a unix socket that PID made listens at SOCKET, which is there a moment
# before; false when the process ends. SOCKET is what PID was told, and begins with a slash, as all
# tests are seen here.
listens() {
  until grep -q " 00010000 .* $1\$" /proc/net/unix; do kill -0 "$2" 2>/dev/null || return 1; done
}

# on_terminal COLUMNS COMMAND...: runs it on a pseudo-terminal of that width, which is its standard
# input, output and error; TERM is xterm, or what TERMINAL says ("-": unset). $rc is its exit status,
# and $work/terminal all that came out. The size is set within, as script's own terminal has none.
# script(1) starts $SHELL, or sh: a sh that is dash would drop the functions that a test exports.
on_terminal() {
  local columns=$1 type=${TERMINAL-xterm}
  shift
  need_command script stty
  rc=0
  if [[ $type == - ]]; then type=(-u TERM); else type=("TERM=$type"); fi
  printf '%q ' env -u COLUMNS "${type[@]}" "$@" >"$work/on-terminal"
  SHELL=$BASH timeout 300 script -qec "stty cols $columns rows 24; . $work/on-terminal" /dev/null \
    </dev/null >"$work/terminal" || rc=$?
}

# drawn: each state of the line of progress in turn, without what wipes it.
drawn() {
  # What has a line end behind it stays there, and is no state of the line.
  sed 's/\r$/\x01/' "$work/terminal" | tr '\r' '\n' | sed -n '/\x01$/!s/^\x1b\[K\(.\)/\1/p'
}

# fits COLUMNS: no state of the line of progress is wider than that.
fits() {
  local wide
  wide=$(drawn | LC_ALL=C.UTF-8 wc -L)
  ((wide <= $1)) || fail "a line of $wide columns on a terminal of $1: $(drawn | tail -1)${what:+ ($what)}"
}

# plain: what came out has no escape sequence, and redraws nothing.
plain() {
  ! grep -q $'\x1b' "$work/terminal" || fail "escapes: $(cat -v "$work/terminal")${what:+ ($what)}"
  ! grep -q $'\r.' "$work/terminal" || fail "something is redrawn: $(cat -v "$work/terminal")${what:+ ($what)}"
}

# peak ARGUMENT...: runs shunt; $rss is the most memory it held, in KiB.
peak() {
  rc=0
  timeout 300 /usr/bin/time -f %M -o "$work/rss" "$SHUNT" "$@" >"$work/out" 2>"$work/err" || rc=$?
  rss=$(tail -1 "$work/rss")
}

# json FILTER: a value of the document that the last run wrote to standard output.
json() { jq -r "$1" "$work/out"; }

# shellcheck source=tests/cli/circumstances.sh
source "$(dirname "${BASH_SOURCE[0]}")/circumstances.sh"
