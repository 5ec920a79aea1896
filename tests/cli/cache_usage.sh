#!/usr/bin/env bash
# fetch, cache-warm and cache where no server is needed: usage errors, files and standard input as
# sources, --offline without an entry, terminals, and the cache while it is empty or damaged.
# shellcheck source=tests/cli/lib.sh
source "$(dirname "$0")/lib.sh"
need_command jq

cd "$work"
cache=$work/cache
export SHUNT_CACHE_DIR=$cache
# Nothing listens there.
url=http://127.0.0.1:1/film.mp4
head -c 300000 /dev/urandom >file

one_document() {
  equal "documents in $1" "$(jq -s length "$1" 2>/dev/null)" 1
  equal "schema_version" "$(jq -r .schema_version "$1")" 1
}

# ---- usage --------------------------------------------------------------------------------------

for arguments in \
  "fetch" "fetch -o made" "fetch file file -o made" "fetch --nonsense file -o made" \
  "fetch --range 5 file -o made" "fetch --range 9-3 file -o made" "fetch --range 5+0 file -o made" \
  "fetch --range -0 file -o made" "fetch --range +5 file -o made" "fetch --range x-y file -o made" \
  "fetch --range 1-99999999999999999999 file -o made" "fetch --range= file -o made" "fetch --range" \
  "fetch --range 300000- file -o made" "fetch --range 400000+1 file -o made" \
  "fetch --jobs 0 file -o made" "fetch --jobs 65 file -o made" "fetch --jobs -1 file -o made" \
  "fetch --jobs x file -o made" "fetch --max-rate -1 file -o made" "fetch --max-rate 1Q file -o made" \
  "fetch --header nonsense file -o made" "fetch --header :x file -o made" \
  "fetch --header a,b:x file -o made" "fetch --platform nonsense file -o made" \
  "fetch --platform a/b/c/d/e file -o made" "fetch --layer 0 file -o made" \
  "fetch --offline --no-cache $url -o made" "fetch --force file" "fetch --force file -o -" \
  "fetch http:// -o made" "fetch docker:// -o made" "fetch ftp://127.0.0.1/x -o made" \
  "fetch DOCKER://127.0.0.1:1/x -o made" \
  "--cache-size -1 fetch file -o made" "fetch --cache-size 1Q file -o made" \
  "fetch --cache-size 99999999999999999999 file -o made" \
  "cache-warm" "cache-warm --from" "cache-warm -" "cache-warm --range 7 $url" \
  "cache-warm --jobs 0 $url" "cache-warm --output made $url" \
  "cache" "cache nonsense" "cache ls nonsense" "cache ls --max-size 1" "cache gc" \
  "cache gc --max-size" "cache gc --max-size -1" "cache gc --max-size 1Q" "cache rm" "cache pin" \
  "cache unpin" "cache ls stat" \
  "faststart $url" "faststart docker://debian" "faststart --dry-run $url" \
  "faststart --recover $url" "faststart --force $url"; do
  # shellcheck disable=SC2086
  expect 2 $arguments
  [[ -s err ]] || fail "'$arguments' says nothing"
  silent
  # shellcheck disable=SC2086
  expect 2 --json $arguments
  if [[ $arguments == *"fetch "* && $arguments != *"-o made" || $arguments == fetch ]]; then
    silent
    document=err
  else
    document=out
  fi
  one_document "$document"
  equal "code of '$arguments'" "$(jq -r .error.code "$document")" 2
  [[ $(jq -r '.error.message | length' "$document") -gt 0 ]] || fail "'$arguments' gives no message"
done
[[ ! -e made ]] || fail "a usage error has written a file"
expect 2 faststart "$url"
says '-o OUT'
expect 2 cache gc
says 'shunt cache gc --help'
# What may be a secret is not repeated.
expect 2 fetch --header "Authorization; Bearer hush" file -o made
! grep -q hush err || fail "a header is repeated: $(said)"
for header in $'X: a\r\nY: b' $'X: a\nb' $'X Y: a'; do
  expect 2 fetch --header "$header" file -o made
done

for arguments in "fetch --help" "cache-warm --help" "cache --help" "cache ls --help" \
  "cache gc --help" "cache verify -h"; do
  # shellcheck disable=SC2086
  expect 0 $arguments
  [[ -s out ]] || fail "$arguments says nothing"
done
for name in fetch cache-warm; do
  expect 0 "$name" --help
  tells 'at most 32 MiB, and 1 MiB for each connection'
done

# ---- sources that are here ----------------------------------------------------------------------

expect 0 fetch file -o copy
same file copy
silent
says '^file: 293 KiB, [0-9.]+ s$'
expect 7 fetch file -o copy
says '--force'
expect 0 fetch -q --force --range 0-99 file -o copy
[[ ! -s err ]] || fail "-q says: $(said)"
same <(head -c 100 file) copy "--force"
expect 0 fetch file
same file out "standard output"
expect 0 fetch file -o -
same file out "-o -"
expect 0 fetch - -o - <file
same file out "standard input"
expect 0 fetch file -o /dev/null
[[ -c /dev/null ]] || fail "/dev/null was replaced"

# In the order given, cut at the end, sizes as units, and -LAST taken as a value.
expect 0 fetch --range 1000-1999 --range 0+10 --range -1K --range 299999-400000 file
{
  dd if=file bs=1000 skip=1 count=1 status=none
  head -c 10 file
  tail -c 1K file
  tail -c 1 file
} >ranges
same ranges out
expect 0 fetch --range 256K- file -o tail
same <(tail -c +$((256 * 1024 + 1)) file) tail

expect 7 fetch not-there -o out2
says '^shunt: not-there: '
[[ ! -e out2 ]] || fail "a failure has made its output"
expect 7 fetch file -o no/such/directory

# JSON: on the stream that is free.
fields='schema_version source identity size bytes_requested bytes_from_cache bytes_fetched requests retries seconds verified error'
expect 0 --json fetch --range 0+10 --range 5+10 file -o json-copy
one_document out
equal "fields" "$(json 'keys_unsorted[:12] | join(" ")')" "$fields"
equal "values" "$(json '[.source, .size, .bytes_requested, .bytes_from_cache, .bytes_fetched, .requests, .retries, .verified, .error] | map(tostring) | join(" ")')" \
  "file 300000 20 0 0 0 0 false null"
equal "without --offline" "$(json 'has("missing")')" false
[[ ! -s err ]] || fail "--json writes to standard error: $(said)"
expect 0 --json fetch file
one_document err
same file out "with --json"
expect 7 --json fetch not-there -o out2
one_document out
equal "error" "$(json '[.error.code, .error.path, .source] | map(tostring) | join(" ")')" "7 not-there not-there"

# A reader that goes away is a failure, and no signal's.
head -c 8M /dev/zero >long
set +o pipefail
{
  rc=0
  "$SHUNT" fetch long 2>err || rc=$?
  echo "$rc" >status
} | head -c 1000 >/dev/null
set -o pipefail
closed=$(cat status)
[[ $closed != 0 && $closed -lt 128 ]] || fail "a closed pipe: exit $closed"

# Never to a terminal.
if command -v script >/dev/null; then
  for command in "fetch file" "fetch file -o -"; do
    rc=0
    script -qec "'$SHUNT' $command" /dev/null </dev/null >typed 2>&1 || rc=$?
    equal "exit of '$command' on a terminal" "$rc" 2
    grep -q terminal typed || fail "a terminal is refused without a word: $(head -c 200 typed)"
    (($(stat -c %s typed) < 1000)) || fail "'$command': bytes were written to the terminal"
  done
fi

# ---- offline, and nobody there --------------------------------------------------------------------

expect 5 fetch --offline "$url" -o out2
says 'not in the cache'
expect 5 --json fetch --offline "$url" -o out2
one_document out
equal "code offline" "$(json .error.code)" 5
expect 5 --json fetch --offline "$url"
silent
one_document err
expect 5 fetch --offline docker://127.0.0.1:1/image:tag -o out2
# Nobody there: tried several times, which takes seconds, so not often here.
expect 5 faststart "$url" -o out2
says "^shunt: $url: "
[[ ! -e out2 ]] || fail "a failure has made its output"
expect 5 --json cache-warm "$url" http://127.0.0.1:1/other
one_document out
equal "sources" "$(json '[.sources[] | .source + ":" + (.error.code | tostring)] | join(" ")')" "$url:5 http://127.0.0.1:1/other:5"
equal "fields of cache-warm" "$(json '.sources[0] | keys_unsorted[:11] | join(" ")')" "${fields#schema_version }"

# ---- several sources, and lists of them ---------------------------------------------------------

expect 0 --json cache-warm file
expect 3 cache-warm file not-there file
equal "order of the text" "$(sed -E 's/^(shunt: )?([^:]*):.*/\2/' err | paste -sd ' ')" "file not-there file"
expect 7 cache-warm -q not-there neither
expect 2 cache-warm --layer 0 file
expect 3 --json cache-warm file not-there file --jobs 1 --range 5+10
equal "several" "$(json '[.sources[] | [.source, .bytes_requested, .error.code // 0] | map(tostring) | join(":")] | join(" ")')" \
  "file:10:0 not-there:0:7 file:10:0"

cp file second
printf '# a list\n\n  \t\nfile\n%s 0+10 -5\r\n  # not a source\n\tsecond' "$work/file" >list
listed="file:1 $work/file:15 second:1"
sources='[.sources[] | .source + ":" + (.bytes_requested | tostring)] | join(" ")'
expect 0 --json cache-warm --from list --range 7+1
equal "sources of a list" "$(json "$sources")" "$listed"
rc=0
"$SHUNT" --json cache-warm second --from - --range 7+1 <list >out 2>err || rc=$?
equal "sources of standard input, and others" "$rc $(json "$sources")" "0 second:1 $listed"
printf 'file\nfile 9-3\n' >list
expect 2 cache-warm --from list
says '^shunt: list: line 2: .*END'
echo - >list
expect 2 cache-warm --from list
says 'line 1'
head -c 100000 /dev/zero | tr '\0' x >list
expect 2 cache-warm --from list
expect 7 cache-warm --from no-such-list
: >list
expect 0 --json cache-warm --from list
equal "sources of an empty list" "$(json '.sources | length')" 0

# Files that are here are not what a cache is for.
equal "entries of local files" "$(find "$cache/blobs" -name '*-*' -type f)" ""

# ---- the cache while it is empty ----------------------------------------------------------------

export SHUNT_CACHE_DIR=$work/none
for arguments in "cache ls" "cache stat" "cache verify" "cache gc --max-size 0"; do
  # shellcheck disable=SC2086
  expect 0 $arguments
  # shellcheck disable=SC2086
  expect 0 --json $arguments
  one_document out
done
[[ ! -e $work/none ]] || fail "whoever looks makes a cache"
for directory in none cache; do
  export SHUNT_CACHE_DIR=$work/$directory
  expect 0 cache ls --json
  equal "ls" "$(jq -c . out)" '{"schema_version":1,"entries":[]}'
  expect 0 cache stat --json --cache-size 1G
  equal "stat" "$(json '[.directory, .budget, .entries, .bytes_cached, .allocated, .pinned] | map(tostring) | join(" ")')" \
    "$work/$directory 1073741824 0 0 0 0"
  equal "fields of stat" "$(json 'keys_unsorted | join(" ")')" "schema_version directory budget entries bytes_cached allocated pinned"
  expect 0 cache verify --json
  equal "verify" "$(jq -c . out)" '{"schema_version":1,"entries":[]}'
  expect 0 cache gc --max-size 1M --json
  equal "gc" "$(jq -c . out)" '{"schema_version":1,"allocated_before":0,"allocated_after":0}'
  for command in rm pin unpin verify; do
    expect 1 cache "$command" "$url"
    says 'not in the cache'
    expect 1 cache "$command" --json "$url"
    one_document out
    equal "code of $command" "$(json .error.code)" 1
  done
  expect 0 cache stat
  tells '^budget +10\.0 GiB'
done
expect 0 cache stat --cache-size 0
tells '^budget +no limit'

# Another user's: looking makes nothing, and does not say that it tried to.
if ((EUID == 0)) && command -v setpriv >/dev/null; then
  mkdir -p -m 700 others/cache
  chmod 755 "$work"
  install -m 755 "$SHUNT" "$work/shunt"
  for words in ls stat verify "rm x"; do
    rc=0
    # shellcheck disable=SC2086
    setpriv --reuid=65534 --regid=65534 --clear-groups "$work/shunt" --cache-dir "$work/others/cache" \
      cache $words >out 2>err || rc=$?
    equal "exit of 'cache $words' of another user" "$rc" 7
    says "^shunt: $work/others/cache: open directory: .*denied"
  done
  rm -r others shunt
fi

# What cannot be a cache.
expect 7 cache ls --cache-dir file
expect 7 cache-warm --cache-dir file "$url"
unset SHUNT_CACHE_DIR
(
  failures=0
  unset XDG_CACHE_HOME HOME
  for words in "cache ls" "cache stat" "cache-warm $url"; do
    # shellcheck disable=SC2086
    expect 2 $words
    says 'name a directory with --cache-dir$' # and no option that they do not have
  done
  expect 0 fetch file -o homeless
  ((failures == 0))
) || fail "without a home"
export SHUNT_CACHE_DIR=$cache

# An entry that is none: listed, and gone with the next use.
mkdir -p "$cache/blobs"
damaged=sha256-$(printf 'a%.0s' {1..64})
garbage() { head -c 10000 /dev/urandom >"$cache/blobs/$damaged"; }
garbage
expect 0 cache ls
tells "damaged .*$damaged"
expect 0 cache ls --json
equal "damaged" "$(json '.entries[] | [.key, .damaged, .complete, .verified, .identity] | map(tostring) | join(" ")')" "$damaged true false false null"
equal "fields of ls" "$(json '.entries[0] | keys_unsorted[:8] | join(" ")')" "identity source size bytes_cached complete verified pinned last_used"
[[ $(json '.entries[0].last_used') =~ ^20[0-9]{2}-[01][0-9]-[0-3][0-9]T[0-2][0-9]:[0-5][0-9]:[0-5][0-9]Z$ ]] ||
  fail "last_used: $(json '.entries[0].last_used')"
expect 0 cache pin "$damaged"
expect 0 cache ls
tells "damaged, pinned"
expect 0 cache gc --max-size 0
says 'pinned'
expect 0 cache stat --json
equal "pinned" "$(json .pinned)" 1
expect 3 cache unpin "$damaged" not-there
expect 3 cache unpin --json "$damaged" not-there
equal "some" "$(json '[.entries[0], .error.path] | join(" ")')" "$damaged not-there"
expect 0 cache rm "$damaged" "$damaged"
expect 0 cache ls --json
equal "after rm" "$(json '.entries | length')" 0
garbage
expect 6 cache verify
says 'cannot be read'
garbage
expect 6 cache verify --json "$damaged"
one_document out
equal "verify of a damaged one" "$(json '.entries[] | [.key, .damaged, .digest_mismatch, .blocks_checked, .blocks_bad, .error.code] | map(tostring) | join(" ")')" \
  "$damaged true false 0 0 6"
expect 0 cache verify
expect 0 cache ls --json
equal "after verify" "$(json '.entries | length')" 0

# ---- names --------------------------------------------------------------------------------------

# What stands in front of a host may be a password.
for source in ftp://me:hush@127.0.0.1/x docker://me:hush@127.0.0.1:1/x DOCKER://me:hush@127.0.0.1:1/x; do
  for json in "" --json; do
    # shellcheck disable=SC2086
    expect 2 $json fetch "$source" -o made
    ! grep -q hush out err || fail "$source: the password is shown"
  done
done

# Through a symbolic link, what it points to is replaced.
echo old >target
ln -s target link
expect 7 fetch file -o link
expect 0 fetch --force file -o link
[[ -L link ]] || fail "the link is no link any more"
cmp -s file target || fail "what the link points to is not the file"
