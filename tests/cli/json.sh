#!/usr/bin/env bash
# --json: the documented fields, one document, on the stream that is free; errors too.
# shellcheck source=tests/cli/lib.sh
source "$(dirname "$0")/lib.sh"
need_command jq

cd "$work"
for name in plain already-front no-moov cross-4g-one; do generate "$name" "$name"; done
cp plain original
fields='path status strategy size_before size_after moov_size shift padding co64_upgraded bytes_read bytes_written seconds verified error'

# one_document FILE: exactly one, of the schema.
one_document() {
  equal "documents in $1" "$(jq -s length "$1" 2>/dev/null)" 1
  equal "schema_version" "$(jq -r .schema_version "$1")" 1
}

# Errors go where no data goes, however -o is written: what is wrong comes behind it, in the words,
# in the environment, or in what they say together.
for wrong in --nonsense --force; do
  for output in '-o made' '-omade' '-qo made' '-qvo made' '-qomade' '--output made' '--output=made'; do
    # shellcheck disable=SC2086
    run --json fetch $output one two $wrong
    equal "exit of $output $wrong" "$rc" 2
    one_document out
    # shellcheck disable=SC2086
    SHUNT_JOBS=0 run --json fetch $output plain
    one_document out
  done
  for output in '-o -' '-qo -' '-qo-' '-vo /dev/stdout' '--header -oX:1' '--range -qo1 -v' ''; do
    # shellcheck disable=SC2086
    run --json fetch $output one two $wrong
    silent
    one_document err
    [[ $output == *-h* || $output == *-r* ]] && continue
    # shellcheck disable=SC2086
    SHUNT_JOBS=0 run --json fetch $output plain
    silent
    one_document err
  done
done
run --json faststart -qo - plain one --nonsense
silent
one_document err

# The plan, and what became of it.
expect 0 --json faststart --dry-run --strategy copy plain
one_document out
# A plan may say more.
equal "fields of a plan" "$(json '.files[0] | keys_unsorted[:14] | join(" ")')" "$fields"
equal "planned" "$(json '.files[0] | [.path, .status, .strategy, .verified, .error] | map(tostring) | join(" ")')" \
  "plain planned copy null null"
planned=$(json '.files[0] | [.size_before, .size_after, .moov_size, .shift, .padding] | join(" ")')
same plain original

expect 0 faststart --json --strategy copy --verify plain
one_document out
[[ ! -s err ]] || fail "--json writes to standard error: $(said)"
equal "fields" "$(json '.files[0] | keys_unsorted[:14] | join(" ")')" "$fields"
equal "moved" "$(json '.files[0] | [.status, .strategy, .verified, .error] | map(tostring) | join(" ")')" "moved copy true null"
equal "the plan and the result" "$(json '.files[0] | [.size_before, .size_after, .moov_size, .shift, .padding] | join(" ")')" "$planned"
equal "size_before" "$(json '.files[0].size_before')" "$(stat -c %s original)"
equal "size_after" "$(json '.files[0].size_after')" "$(stat -c %s plain)"
equal "bytes_written of a copy" "$(json '.files[0].bytes_written')" "$(stat -c %s plain)"
moov_at=$(($(grep -abo moov plain | head -1 | cut -d: -f1) - 4))
equal "moov_size" "$(json '.files[0].moov_size')" "$((16#$(xxd -s "$moov_at" -l 4 -p plain 2>/dev/null || od -An -tx1 -j "$moov_at" -N4 plain | tr -d ' ')))"
equal "types" "$(json '.files[0] | [.size_before, .shift, .co64_upgraded, .seconds] | map(type) | unique | join(" ")')" "number"

expect 0 --json faststart plain
equal "already" "$(json '.files[0] | [.status, .strategy, .size_before == .size_after] | map(tostring) | join(" ")')" "already none true"

expect 0 --json faststart cross-4g-one
equal "co64_upgraded" "$(json '.files[0].co64_upgraded')" 1
equal "verified without --verify" "$(json '.files[0].verified')" null

# Failures: in the list, with the exit code that a run of that file alone has.
expect 4 --json faststart no-moov
one_document out
equal "failed" "$(json '.files[0] | [.status, .strategy, .error.code, .error.path] | map(tostring) | join(" ")')" "failed none 4 no-moov"
[[ $(json '.files[0].error.message') == *moov* ]] || fail "the message says nothing: $(json .files[0].error.message)"
expect 3 --json faststart no-moov already-front not-there
one_document out
equal "several" "$(json '[.files[] | .path + ":" + .status + ":" + (.error.code // 0 | tostring)] | join(" ")')" \
  "no-moov:failed:4 already-front:already:0 not-there:failed:7"

# Usage errors are documents too, wherever --json stands.
for arguments in "faststart --json --strategy nonsense plain" "--json faststart" \
  "faststart --json --padding -1 plain" "faststart --no-such-option --json plain" "--json"; do
  # shellcheck disable=SC2086
  expect 2 $arguments
  one_document out
  equal "code of '$arguments'" "$(json .error.code)" 2
  [[ $(json '.error.message | length') -gt 0 ]] || fail "'$arguments' gives no message"
  [[ ! -s err ]] || fail "'$arguments' writes to standard error: $(said)"
done

for arguments in "--json stream-sink --no-such-option" "stream-sink --json --no-such-option" \
  "--json stream-sink --size 1M --run true --to cat --no-such-option" "--json stream-sink --size 1M" \
  "--json stream-sink --size -1 --run true" "--json fetch --no-such-option"; do
  # The data goes to standard output.
  # shellcheck disable=SC2086
  expect 2 $arguments
  one_document err
  silent
  # And here it does not.
  # shellcheck disable=SC2086
  [[ $arguments == *--to* ]] || { expect 2 $arguments -o new.img && one_document out; }
done

# With the data on standard output, the document goes to standard error.
cp original plain
expect 0 --json faststart plain -o -
one_document err
equal "status to stdout" "$(jq -r '.files[0].status' err)" moved
check original out
expect 4 --json faststart no-moov -o -
one_document err
silent
equal "code with -o -" "$(jq -r '.files[0].error.code' err)" 4
expect 2 --json faststart plain no-moov -o -
one_document err
silent
expect 0 --json faststart plain -o new
one_document out
equal "bytes_written with -o" "$(json '.files[0].bytes_written')" "$(stat -c %s new)"

# A name that is no UTF-8 does not spoil the document.
cp original $'caf\xe9'
expect 0 --json faststart $'caf\xe9'
one_document out
