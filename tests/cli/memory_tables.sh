#!/usr/bin/env bash
# At most 32 MiB for a file, also where its tables are small one by one and large together.
# shellcheck source=tests/cli/lib.sh
source "$(dirname "$0")/lib.sh"
[[ $sanitized != 1 ]] || skip "a sanitizer build needs memory of its own"
[[ -x /usr/bin/time ]] || skip "there is no /usr/bin/time"
need_command python3

make() { python3 "$(dirname "$0")/big_tables.py" "$@"; }

# bounded CODES WHAT ARGUMENT...: exits with one of CODES and takes no more than that.
bounded() {
  local codes=$1 what=$2
  shift 2
  peak "$@"
  [[ " $codes " == *" $rc "* ]] || fail "$what: exit $rc instead of $codes: $(said)"
  ((rss <= 32 * 1024)) || fail "$what takes $rss KiB"
  echo "$what: $rss KiB, exit $rc"
}

# Those of which there are real ones, and those that cost nothing, are done.
for kind in tables-in-metas empty-boxes fragments one-filter many-tracks many-fragments; do
  make "$work/file" "$kind"
  bounded 0 "$kind" faststart --dry-run "$work/file"
done
# The others may be refused, and so may all at once.
for kinds in filters wide-tables too-many-tables items "wide-tables fragments one-filter items" \
  "tables-in-metas empty-boxes fragments one-filter wide-tables" \
  "many-fragments items one-filter" "fragments many-tracks"; do
  # shellcheck disable=SC2086
  make "$work/file" $kinds
  bounded "0 4" "$kinds" faststart --dry-run "$work/file"
  ((rc == 0)) || says 'larger than supported|too often|too many'
done

# Runs, not plans alone: in place, where the patches are in the journal, and into a stream.
make "$work/file" many-fragments
bounded 0 "many-fragments to a stream" faststart "$work/file" -o /dev/null
bounded 0 "many-fragments in place" faststart "$work/file"
no_leftovers "$work"
