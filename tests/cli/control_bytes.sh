#!/usr/bin/env bash
# Names of files and URLs may hold whatever bytes: none of them steers the terminal, in no message.
# In JSON they are quoted as JSON has it.
# shellcheck source=tests/cli/lib.sh
source "$(dirname "$0")/lib.sh"
# shellcheck source=tests/cli/servers.sh
source "$(dirname "$0")/servers.sh"
begin_with_cache

# Colours, a line of its own, a C1 control as UTF-8 and as a byte, and letters that stay.
name=$'\e[31m\nshunt: all is well\t\x7f\xc2\x9b2J\x9b2J\xc3\xa9'
generate plain plain
generate no-moov no-moov

# clean: what the last run said is lines of readable text; $1 times the name.
clean() {
  local said
  said=$(cat "$work/out" "$work/err")
  ! LC_ALL=C grep -q $'[\x01-\x08\x0b-\x1f\x7f]' <<<"$said" || fail "$what: control bytes: $(cat -v <<<"$said")"
  iconv -f UTF-8 -t UTF-8 <<<"$said" >/dev/null 2>&1 || fail "$what: no UTF-8: $(cat -v <<<"$said")"
  ! grep -q $'\xc2\x9b' <<<"$said" || fail "$what: a C1 control"
  ! grep -q '^shunt: all is well' <<<"$said" || fail "$what: a line made up by a name"
  grep -qF '\x1b[31m\nshunt: all is well\t\x7f\xc2\x9b2J\x9b2Jé' <<<"$said" ||
    fail "$what: the name is not shown: $(cat -v <<<"$said")"
}

cp plain "$name"
for command in "faststart --check" "faststart -n" "faststart -vv" "faststart --recover" "fetch -o got"; do
  what=$command
  # shellcheck disable=SC2086
  run $command "$name"
  clean
done
cp no-moov "$name"
for command in "faststart" "faststart --check" "faststart --strategy" \
  "fetch plain --range" "cache rm" "--color" "cache-warm --from"; do
  what=$command
  # shellcheck disable=SC2086
  run $command "$name"
  ((rc != 0)) || fail "$what: exit 0"
  clean
done
what="a directory"
expect 7 faststart plain -o "$name/$name"
clean
what="a cache"
ln -s "$name$name" dangling
run --cache-dir dangling cache-warm http://127.0.0.1:1/x
clean
mkdir "$name.d"
run --cache-dir "$name.d" cache stat
clean
run --cache-dir "$name.d" cache verify "$name"
clean

# A list, line by line.
printf 'http://127.0.0.1:1/x %s\n' "${name//[$'\n\t']/}" >list
run cache-warm --from list
! LC_ALL=C grep -q $'[\x01-\x08\x0b-\x1f\x7f]' "$work/err" || fail "a list: control bytes"

# JSON is for programs.
run --json faststart "$name"
jq -e '.files[0].path | startswith("\u001b[31m\nshunt: all is well\t\u007f")' "$work/out" >/dev/null ||
  fail "--json: another path: $(cat "$work/out")"

# What the cache has, by the name that it was fetched by.
ascii=$'a\eb'
head -c 1000 /dev/urandom >"www/$ascii"
start_nginx www
run -vv fetch "$nginx_url/$ascii" -o got
! LC_ALL=C grep -q $'[\x01-\x08\x0b-\x1f\x7f]' "$work/err" || fail "fetch -vv: control bytes"
run cache ls
! LC_ALL=C grep -q $'[\x01-\x08\x0b-\x1f\x7f]' "$work/out" || fail "cache ls: control bytes"
