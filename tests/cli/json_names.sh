#!/usr/bin/env bash
# A name that is no UTF-8 comes back from JSON byte for byte, from every command and in errors.
# shellcheck source=tests/cli/lib.sh
source "$(dirname "$0")/lib.sh"
need_command jq
cd "$work"
# A byte that stands alone, one that begins a character and has no end, a percent sign, and a blank.
name=$'caf\xe9 100%\xc3'
generate plain original

# tells_name FILTER NAME [FILE]: what FILTER finds in the document decodes to NAME.
tells_name() {
  local encoded decoded
  encoded=$(jq -r "$1" "${3:-out}")
  printf -v decoded '%b' "${encoded//%/\\x}"
  [[ $encoded != null && $decoded == "$2" ]] ||
    fail "$1 is $(printf %q "$decoded") instead of $(printf %q "$2"): $(cat "${3:-out}")"
  iconv -f UTF-8 -t UTF-8 "${3:-out}" >/dev/null || fail "a document that is no UTF-8"
}

# ---- faststart ----
cp original "$name"
expect 0 --json faststart --dry-run "$name"
tells_name '.files[0].path_bytes' "$name"
expect 1 --json faststart --check "$name"
tells_name '.files[0].path_bytes' "$name"
expect 0 --json faststart "$name" -o new
tells_name '.files[0].path_bytes' "$name"
expect 0 --json faststart "$name" original
tells_name '.files[0].path_bytes' "$name"
equal "path_bytes of a name that is UTF-8" "$(json '.files[1] | has("path_bytes")')" false
expect 7 --json faststart "not $name"
tells_name '.files[0].path_bytes' "not $name"
tells_name '.files[0].error.path_bytes' "not $name"
expect 7 --json faststart original -o "$name/new"
tells_name '.files[0].error.path_bytes // .files[0].error.message_bytes' "$name/new"

# ---- fetch, cache-warm, cache ----
expect 0 --json fetch "$name" -o fetched
tells_name '.source_bytes' "$name"
expect 7 --json fetch "not $name" -o fetched --force
tells_name '.error.path_bytes' "not $name"
expect 7 --json cache-warm "not $name"
tells_name '.sources[0].source_bytes' "not $name"
tells_name '.sources[0].error.path_bytes' "not $name"
mkdir "cache $name"
expect 0 --json --cache-dir "cache $name" cache stat
tells_name '.directory_bytes' "cache $name"

# ---- stream-sink ----
printf 'zeros' >"$name"
rc=0
"$SHUNT" --json stream-sink --stdin -o "$name" <original >out 2>err || rc=$?
equal "exit, stream-sink onto what is there" "$rc" 7
tells_name '.error.path_bytes' "$name"

# ---- errors of a command line ----
expect 7 --json cache-warm --from "no $name"
tells_name '.error.path_bytes' "no $name"
