#!/usr/bin/env bash
# The free box behind moov holds zeros after a shift, not the old bytes that lay there, whether the
# file system can punch holes or not.
# shellcheck source=tests/cli/lib.sh
source "$(dirname "$0")/lib.sh"

cd "$work"
big_file original 4
cp original file
# Enough room that what was there before shows.
expect 0 --json faststart --strategy shift --padding 200K file
free_at=$(($(grep -abo free file | head -1 | cut -d: -f1) - 4))
free_size=$((16#$(slice file "$free_at" 4 | od -An -tx1 | tr -d ' \n')))
((free_size >= 200 << 10)) || fail "the free box has $free_size bytes"
equal "bytes of the free box that are not zero" \
  "$(slice file $((free_at + 8)) $((free_size - 8)) | tr -d '\0' | wc -c)" 0
check original file
# The same where the whole gap is less than a block: what is written there are bytes, not a hole.
generate plain small
cp small file
expect 0 faststart --strategy shift file
free_at=$(($(grep -abo free file | head -1 | cut -d: -f1) - 4))
free_size=$((16#$(slice file "$free_at" 4 | od -An -tx1 | tr -d ' \n')))
equal "in a small file" "$(slice file $((free_at + 8)) $((free_size - 8)) | tr -d '\0' | wc -c)" 0
check small file
