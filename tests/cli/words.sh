#!/usr/bin/env bash
# A wrong word of the command line, of the environment or of config.toml is named, with the nearest
# right one and where it stands; options come from flags, then the environment, then config.toml; and
# help is complete and within 80 columns.
# shellcheck source=tests/cli/lib.sh
source "$(dirname "$0")/lib.sh"
need_command jq
cd "$work"
export XDG_CONFIG_HOME=$work/config SHUNT_CACHE_DIR=$work/cache
config=$XDG_CONFIG_HOME/shunt/config.toml
mkdir -p "$(dirname "$config")"
generate plain plain

# wrong PATTERN ARGUMENT...: a usage error that says so.
wrong() {
  local pattern=$1
  shift
  expect 2 "$@"
  says "$pattern"
  [[ ! -s out ]] || fail "$*: standard output is not empty"
}

# ---- words of the command line ----
wrong "'fastart' is not a command; did you mean 'faststart'\?" fastart plain
wrong "'Fetch' is not a command; did you mean 'fetch'\?" Fetch x
wrong "'nonsense' is not a command$" nonsense
wrong "'lst' is not a command of 'cache'; did you mean 'ls'\?" cache lst
wrong "'--stratgy' is not an option of 'faststart'; did you mean '--strategy'\?" faststart --stratgy copy plain
wrong "'--colour' is not an option.*did you mean '--color'\?" --colour never faststart plain
wrong "'--max-sise' is not an option.*did you mean '--max-size'\?" cache gc --max-sise=1G
wrong "'--comit' is not an option.*did you mean '--commit'\?" stream-sink --comit at-end
wrong "'--frm' is not an option.*did you mean '--from'\?" cache-warm --frm list
wrong "--strategy.*'cpy'; did you mean 'copy'\?" faststart --strategy cpy plain
wrong "--commit.*'atend'; did you mean 'at-end'\?" stream-sink --stdin --commit atend
wrong "--color.*'alway'; did you mean 'always'\?" --color alway cache ls
wrong "--digest.*'sha-256'; did you mean 'sha256'\?" stream-sink --stdin --digest sha-256
wrong "unexpected argument 'two'" fetch one two
wrong "--jobs needs a value: N" faststart --jobs
wrong "--jobs is given more than once" faststart --jobs 1 --jobs 2 plain
wrong "--max-rate.*'10Q' is not a size" fetch --max-rate 10Q plain
wrong "FILE is required" faststart
wrong "see 'shunt faststart --help'" faststart
for url in ftp://example.org/film.mp4 file:///film.mp4 s3://bucket/film.mp4; do
  for words in "faststart" "faststart --check" "faststart -o new" "fetch" "cache-warm"; do
    # shellcheck disable=SC2086
    wrong "$url: unsupported kind of URL: http, https, docker" $words "$url"
  done
done
mkdir -p ftp:/host
cp plain ftp:/host/film
expect 1 faststart --check ./ftp://host/film
rm -r ftp:
# `help` says what the words themselves would be told.
for words in faststrt nosuch "cache lst" "cache nosuch" "faststart nosuch"; do
  # shellcheck disable=SC2086
  expect 2 help $words
  cp err helped
  [[ $words != faststart* ]] || { grep -q "'nosuch' is not a command of 'faststart'" err || fail "$words: $(said)"; continue; }
  # shellcheck disable=SC2086
  expect 2 $words
  same helped err "help $words"
done
expect 2 --json fastart
equal "the error as JSON" "$(json '[.error.code, .error.message] | map(tostring) | join(" ")')" \
  "2 'fastart' is not a command; did you mean 'faststart'?"

# ---- names that were meant otherwise ----
# meant CODE HINT ARGUMENT...
meant() {
  local code=$1 hint=$2
  shift 2
  expect "$code" "$@"
  says "^  $hint\$"
}
mkdir named
cp plain named/-dash.mp4
cp plain 'named/-my film.mp4'
cd named
wrong "'-dash.mp4' is not an option" faststart --check -dash.mp4
says '^  to name the file, write ./-dash.mp4$'
meant 2 "to name the file, write './-my film.mp4'" fetch '-my film.mp4'
expect 1 faststart --check ./-dash.mp4
cd ..
for command in "faststart" "faststart --check" "faststart -o new" "fetch" "cache-warm"; do
  # shellcheck disable=SC2206
  words=($command)
  meant 7 'did you mean http://127.0.0.1:8391/film.mp4\?' "${words[@]}" 127.0.0.1:8391/film.mp4
  meant 7 'did you mean https://example.org/a/film.mp4\?' "${words[@]}" example.org/a/film.mp4
  meant 7 'did you mean docker://debian:12\?' "${words[@]}" docker:debian:12
  meant 7 'did you mean http://example.org/film.mp4\?' "${words[@]}" http:/example.org/film.mp4
  wrong '^shunt: the name is empty$' "${words[@]}" ''
  for name in film.mp4 no/film.mp4 ../no.where/film.mp4 ./no.where/film.mp4 named/film.mp4; do
    expect 7 "${words[@]}" "$name"
    [[ $(wc -l <err) == 1 ]] || fail "a guess for $name: $(said)"
  done
done
meant 2 'write %20 for a space' fetch 'http://127.0.0.1/a film.mp4'
meant 2 'write %20 for a space' faststart -o new 'http://127.0.0.1/a film.mp4'
rm -r named

# ---- help ----
commands=(faststart fetch cache-warm cache stream-sink help)
for words in "" "${commands[@]}" "cache ls" "cache stat" "cache verify" "cache gc" "cache rm" "cache pin" "cache unpin"; do
  # shellcheck disable=SC2086
  expect 0 $words --help
  wide=$(wc -L <out)
  ((wide <= 80)) || fail "$words --help is $wide columns wide"
  tells '^  --cache-dir DIR'
  equal "examples of '$words --help'" "$(sed -n '/^Examples:/,/^$/p' out | grep -c '^  ')" 2
  [[ $words == "" || $words == help || $words == *" "* ]] || tells '^Memory: '
  page=${words%% *}
  [[ $page != help ]] || page=
  tells "^Manual page: man shunt${page:+-$page}\$"
  cp out help
  # shellcheck disable=SC2086
  expect 0 help $words
  same out help "shunt help $words"
done
expect 0 --help
for command in "${commands[@]}"; do tells "^  $command "; done
# Nothing was asked for and nothing is done: the same text, on standard error, and exit 2.
cp out help
expect 2
same err help "shunt alone"
silent
expect 0 cache --help
cp out help
expect 2 cache
same err help "shunt cache alone"

# ---- the environment ----
in_environment() {
  local variable=$1 pattern=$2
  shift 2
  export "${variable?}"
  wrong "^shunt: ${variable%%=*}: $pattern" "$@"
  unset "${variable%%=*}"
}
in_environment SHUNT_COLOR=alway "--color.*'alway'; did you mean 'always'\?" cache ls
in_environment SHUNT_JSON=maybe "--json takes true or false, not 'maybe'" cache ls
in_environment SHUNT_VERBOSE=much "--verbose takes true or false, or a number, not 'much'" cache ls
in_environment SHUNT_CACHE_SIZE=12Q "--cache-size.*'12Q' is not a size" cache ls
in_environment SHUNT_JOBS=0 "--jobs.*1 to 64" faststart plain
in_environment SHUNT_JOBS=65 "--jobs.*1 to 64" fetch plain
in_environment SHUNT_STRATEGY=cpy "--strategy.*did you mean 'copy'\?" faststart plain
in_environment SHUNT_PADDING=4G "--padding.*below 4 GiB" faststart plain
in_environment SHUNT_PLATFORM=linux "--platform.*" fetch plain
in_environment SHUNT_HEADER=nonsense "--header.*NAME:VALUE" fetch plain
in_environment SHUNT_MAX_RATE=-1 "--max-rate.*" cache-warm x
in_environment SHUNT_MEMORY=1M "--memory.*at least 2M" stream-sink --stdin
in_environment SHUNT_COMMIT=now "--commit.*at-end" stream-sink --stdin
in_environment SHUNT_WINDOW=x "--window.*not a size" stream-sink --stdin
in_environment SHUNT_READ_WINDOW=x "--read-window.*not a size" stream-sink --stdin
# What another command has does not matter.
SHUNT_COMMIT=now expect 0 cache ls

# ---- config.toml ----
# in_config LINE PATTERN TEXT ARGUMENT...: the error names that line.
in_config() {
  local line=$1 pattern=$2
  printf '%b' "$3" >"$config"
  shift 3
  wrong "^shunt: $config:$line: $pattern" "$@"
  rm "$config"
}
in_config 2 "'colour' is not an option; did you mean 'color'\?" '# comment\ncolour = "never"\n' cache ls
in_config 1 "--color.*'nver'.*did you mean 'never'\?" 'color = "nver"\n' cache ls
in_config 4 "'jbs' is not an option; did you mean 'jobs'\?" '\nquiet = true\n[faststart]\njbs = 1\n' faststart plain
in_config 1 "'jobs' is an option of commands: put it below \\[faststart\\] or \\[fetch\\] or \\[cache-warm\\]$" 'jobs = 3\n' cache ls
in_config 2 "--jobs.*1 to 64" '[faststart]\njobs = 0\n' faststart plain
# Also where it is for another command than this one.
in_config 3 "--max-rate.*'10Q' is not a size" '\n[fetch]\nmax-rate = "10Q"\n' cache ls
in_config 1 "'fastart' is not a command; did you mean 'faststart'\?" '[fastart]\njobs = 1\n' faststart plain
in_config 2 "'force' can only be given on the command line" '[faststart]\nforce = true\n' faststart plain
in_config 1 "--json takes true or false" 'json = "perhaps"\n' cache ls
in_config 2 "'quiet' is already set on line 1" 'quiet = true\nquiet = false\n' cache ls
in_config 1 "neither KEY = VALUE" 'quiet\n' cache ls
in_config 1 "the value is missing" 'quiet =\n' cache ls
in_config 2 "a table is" '\n[faststart\n' cache ls
in_config 2 "bad format: unknown value appeared; text needs quotes" '[fetch]\nplatform = linux/amd64\n' cache ls
in_config 3 "'fetch' is already set on line 1" '[fetch]\n\n[fetch]\n' cache ls
mkdir "$config"
wrong "^shunt: $config: " cache ls
rmdir "$config"
wrong "^shunt: nowhere: .*No such file" --config nowhere cache ls
wrong "^shunt: nowhere: .*No such file" cache ls --config nowhere

# A home that this user may not enter has no configuration for them, as after su. A file that is
# there, or is named, has to be readable.
if ((EUID == 0)) && command -v setpriv >/dev/null; then
  install -m 755 "$SHUNT" "$work/shunt"
  chmod 755 "$work"
  mkdir -m 700 home
  as_nobody() {
    rc=0
    HOME=$work/home XDG_CONFIG_HOME='' setpriv --reuid=65534 --regid=65534 --clear-groups \
      "$work/shunt" "$@" >out 2>err || rc=$?
  }
  as_nobody faststart --check plain
  equal "exit with a home that cannot be entered" "$rc:$(said)" "1:"
  as_nobody -v faststart --check plain
  says "continuing without a configuration: $work/home/.config/shunt/config.toml: .*denied"
  as_nobody --config home/config.toml faststart --check plain
  equal "exit with --config there" "$rc" 2
  says 'home/config.toml: .*denied'
  mkdir -p home/.config/shunt
  chmod 755 home home/.config home/.config/shunt
  install -m 600 /dev/null home/.config/shunt/config.toml
  as_nobody faststart --check plain
  equal "exit with a configuration that cannot be read" "$rc" 2
  rm -r home
fi

# ---- which of them counts ----
# where COMMAND...: the cache's directory, as `cache stat` tells it.
where() {
  run --json "$@" cache stat
  json .directory
}
unset SHUNT_CACHE_DIR
printf 'cache-dir = "%s"\n' "$work/of-the-file" >"$config"
equal "of the file" "$(where)" "$work/of-the-file"
equal "the environment before the file" "$(SHUNT_CACHE_DIR=$work/of-the-environment where)" "$work/of-the-environment"
equal "flags before the environment" "$(SHUNT_CACHE_DIR=$work/of-the-environment where --cache-dir "$work/of-the-flag")" \
  "$work/of-the-flag"
equal "an empty variable is none" "$(SHUNT_CACHE_DIR='' where)" "$work/of-the-file"
printf "cache-dir = '%s' # a comment\n" "$work/a#b" >"$config"
equal "a sign of comments in quotes" "$(where)" "$work/a#b"
printf '[fetch]\nheader = [ # one a line\n  "A: #1",\n  "B: 2",\n]\n' >"$config"
expect 0 cache stat
printf 'cache-dir = "%s"\n' "$work/of-another" >another.toml
equal "of another file" "$(where --config another.toml)" "$work/of-another"
rm "$config"
# A relative directory is none (XDG Base Directory Specification): that of the home counts.
mkdir -p relative/shunt home/.config/shunt
echo 'nonsense = 1' >relative/shunt/config.toml
printf 'cache-dir = "%s"\n' "$work/of-the-home" >home/.config/shunt/config.toml
equal "of the home" "$(XDG_CONFIG_HOME=relative HOME=$work/home where)" "$work/of-the-home"
export SHUNT_CACHE_DIR=$work/cache

# What stands on the command line alone excludes other options; what is set gives way to it.
generate already-front front
cat >everything.toml <<'TOML'
[faststart]
keep-inode = true
[fetch]
offline = true
[stream-sink]
return-time = "5s"
TOML
for where in file environment; do
  if [[ $where == file ]]; then
    cp everything.toml "$config"
    sets() { :; }
  else
    sets() { export "${1?}"; }
  fi
  sets SHUNT_RETURN_TIME=5s
  expect 0 stream-sink --stdin < <(printf abc)
  equal "what --stdin copies, return-time from the $where" "$(cat out)" abc
  sets SHUNT_OFFLINE=1
  expect 0 fetch --no-cache plain -o got --force
  same got plain "--no-cache, offline from the $where"
  sets SHUNT_KEEP_INODE=1
  expect 0 --json faststart --dry-run --strategy copy plain
  equal "--strategy copy, keep-inode from the $where" "$(json .files[0].strategy)" copy
  rm -f "$config"
  unset SHUNT_RETURN_TIME SHUNT_OFFLINE SHUNT_KEEP_INODE
  # The other way about.
  [[ $where == environment ]] ||
    printf '[faststart]\nstrategy = "shift"\n[fetch]\nno-cache = true\n' >"$config"
  sets SHUNT_NO_CACHE=1
  expect 5 fetch --offline http://127.0.0.1:1/nothing
  says 'not in the cache'
  sets SHUNT_STRATEGY=shift
  for to in new -; do
    expect 0 faststart front -o "$to"
    rm -f new
  done
  { run faststart - -o - <front; }
  equal "exit of faststart - -o -, strategy from the $where" "$rc" 0
  [[ $where == environment ]] || printf '[faststart]\nstrategy = "copy"\n' >"$config"
  sets SHUNT_STRATEGY=copy
  run --json faststart --dry-run --keep-inode plain
  [[ $(json .files[0].strategy) != copy ]] || fail "--keep-inode does not go before strategy of the $where"
  rm -f "$config"
  unset SHUNT_NO_CACHE SHUNT_STRATEGY
done
# Said in the same place, they exclude one another; the environment goes before the file.
wrong "--offline and --no-cache exclude one another" fetch --offline --no-cache plain
wrong "--strategy copy makes a new file, which --keep-inode excludes" \
  faststart --strategy copy --keep-inode plain
SHUNT_OFFLINE=1 SHUNT_NO_CACHE=1 wrong "SHUNT_OFFLINE and SHUNT_NO_CACHE exclude one another" fetch plain
# Of the file, the line of the second is named, whichever that is.
printf '[fetch]\noffline = true\nno-cache = true\n' >"$config"
wrong "^shunt: $config:3: 'offline' of the configuration file and 'no-cache' of" fetch plain
printf '[fetch]\nno-cache = true\n# between\noffline = true\n' >"$config"
wrong "^shunt: $config:4: 'offline' of the configuration file and 'no-cache' of" fetch plain
expect 2 --json fetch plain -o got --force
equal "path of two that exclude one another" "$(json .error.path)" "$config:4"
printf '[faststart]\nkeep-inode = true\nstrategy = "copy"\n' >"$config"
wrong "^shunt: $config:3: 'strategy' of the configuration file copy makes a new file, which 'keep-inode'" \
  faststart plain
printf '[fetch]\nno-cache = true\n' >"$config"
SHUNT_NO_CACHE=1 expect 0 fetch plain -o got --force
rm "$config"
# -v and -q: as everywhere, what is typed goes before what is set, and the environment before the file.
# loud OPTION... and hushed OPTION...: there is a line at the end, or nothing is said.
loud() {
  expect 0 "$@" fetch plain -o got --force
  says '^plain: '
}
hushed() {
  expect 0 "$@" fetch plain -o got --force
  [[ ! -s err ]] || fail "shunt $*: it says $(said)"
}
SHUNT_QUIET=1 loud -v
cp plain moved
SHUNT_QUIET=1 expect 0 -vv faststart --strategy copy moved
says '^shunt: .*/moved: copy: '
SHUNT_VERBOSE=1 hushed -q
SHUNT_VERBOSE=1 loud
SHUNT_VERBOSE=2 SHUNT_QUIET=1 hushed
hushed -q -v
printf 'quiet = true\n' >"$config"
loud -v
SHUNT_VERBOSE=1 loud
hushed
printf 'verbose = 1\n' >"$config"
hushed -q
SHUNT_QUIET=1 hushed
loud
rm "$config"
# What is done is said on the command line alone.
SHUNT_LAYER=0 expect 0 fetch plain -o got --force

# Every option that help gives a variable is taken from it, and from its table; others from neither.
for command in faststart fetch cache-warm stream-sink; do
  "$SHUNT" "$command" --help | sed -n '/^Options:/,/^Global/p' >help
  # Descriptions go on over several lines.
  awk '/^  -/ { if (entry) print entry; entry = $0; next } { entry = entry " " $0 } END { print entry }' help |
    grep -o '^  -.*' | grep -v -- '--help' >entries
  while read -r entry; do
    name=$(grep -oE -- '--[a-z-]+' <<<"$entry" | head -1)
    printf '[%s]\n%s = ["no", "such", "value"]\n' "$command" "${name#--}" >"$config"
    run cache stat
    ((rc == 2)) || fail "$name of $command in config.toml: exit $rc"
    if grep -q "Env:SHUNT_" <<<"$entry"; then
      variable=$(grep -oE 'SHUNT_[A-Z_]+' <<<"$entry")
      equal "the variable of $name" "$variable" "SHUNT_$(tr a-z- A-Z_ <<<"${name#--}")"
    else
      says "$config:2: '${name#--}' can only be given on the command line"
    fi
    rm "$config"
  done <entries
done
SHUNT_STRATEGY=copy expect 0 --json faststart --dry-run plain
equal "--strategy from the environment" "$(json .files[0].strategy)" copy
printf '[faststart]\nstrategy = "copy"\npadding = "64K"\n' >"$config"
expect 0 --json faststart --dry-run plain
equal "strategy of the file" "$(json .files[0].strategy)" copy
(($(json .files[0].padding) >= 65536)) || fail "padding of the file: $(json .files[0].padding)"
SHUNT_STRATEGY="shift" expect 0 --json faststart --dry-run plain
equal "--strategy from the environment, before the file" "$(json .files[0].strategy)" shift
printf '[stream-sink]\nsparse = true\ndigest = "sha256"\n' >"$config"
printf 'abc' | { run --json stream-sink --stdin -o digested; }
equal "digest of the file" "$(json .digest)" "sha256:$(printf abc | sha256sum | cut -d' ' -f1)"
printf 'json = true\n' >"$config"
expect 0 cache stat
equal "json of the file" "$(json .schema_version)" 1
SHUNT_JSON=false expect 0 cache stat
tells '^directory'
SHUNT_JSON=1 expect 2 fastart
equal "a wrong word with SHUNT_JSON" "$(json .error.code)" 2
