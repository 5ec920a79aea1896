#!/usr/bin/env bash
# Every documented exit status, and that the file is unchanged whenever it is not 0.
# shellcheck source=tests/cli/lib.sh
source "$(dirname "$0")/lib.sh"

cd "$work"
chmod 755 .
for name in plain already-front no-moov; do generate "$name" "$name"; done
cp plain original

# untouched: the plain file is what it was.
untouched() { same plain original "$1"; }

# 2: usage
for arguments in "" "nonsense" "faststart" "faststart --nonsense plain" \
  "faststart --strategy fastest plain" "faststart --strategy" "faststart --strategy= plain" \
  "faststart --padding -1 plain" "faststart --padding=-1 plain" "faststart --padding 1Q plain" \
  "faststart --padding 99999999999999999999 plain" "faststart --padding 18446744073709551616 plain" \
  "faststart --padding 17179869184G plain" "faststart --padding 4G plain" "faststart --padding x plain" \
  "faststart --padding 0x10 plain" "faststart --padding= plain" \
  "faststart --jobs 0 plain" "faststart --jobs -1 plain" "faststart --jobs 1000000 plain" \
  "faststart --jobs x plain" "faststart --check --dry-run plain" "faststart --check --recover plain" \
  "faststart plain already-front -o out.mp4" "faststart --force plain" "faststart -" \
  "faststart --color sometimes plain" "faststart plain -o out.mp4 --strategy insert" \
  "faststart plain -o out.mp4 --strategy shift" "faststart --check plain -o out.mp4"; do
  # shellcheck disable=SC2086
  expect 2 $arguments
  [[ -s err ]] || fail "'$arguments' says nothing"
  silent
  untouched "$arguments"
done
[[ ! -e out.mp4 ]] || fail "a usage error has written a file"

# 0: help and version
for arguments in "--help" "--version" "faststart --help"; do
  # shellcheck disable=SC2086
  expect 0 $arguments
  [[ -s out ]] || fail "$arguments says nothing"
done

# 4, 7 alone, 3 for some
expect 4 faststart no-moov
says '^shunt: .*no-moov: .*moov'
echo "no MP4 at all" >text
expect 4 faststart text
expect 7 faststart not-there
says '^shunt: not-there: open: No such file'
mkdir directory
expect 7 faststart directory
says 'directory'
expect 7 faststart directory -o out.mp4
expect 7 faststart not-there -o out.mp4
expect 7 faststart plain -o no/such/directory
expect 7 faststart /dev/null
: >empty
expect 4 faststart empty
expect 3 faststart no-moov already-front
expect 3 faststart not-there already-front
expect 4 faststart no-moov empty
expect 0 faststart already-front already-front
expect 3 faststart --jobs 4 no-moov already-front not-there directory
untouched "failures of others"

# 7: somebody else's file, and one that is read-only, for an ordinary user
if ((EUID == 0)); then
  need_command setpriv
  mkdir -m 777 public
  cp "$SHUNT" public/shunt
  cp original public/readonly
  cp original public/theirs
  chown 65534:65534 public/readonly
  chmod 444 public/readonly
  before=$(state public/readonly; state public/theirs)
  for name in readonly theirs; do
    rc=0
    setpriv --reuid=65534 --regid=65534 --clear-groups public/shunt faststart "public/$name" 2>err || rc=$?
    equal "a $name file" "$rc" 7
    says 'Permission denied'
  done
  equal "read-only files" "$(state public/readonly; state public/theirs)" "$before"
  # What may be read may be written elsewhere.
  rc=0
  setpriv --reuid=65534 --regid=65534 --clear-groups public/shunt faststart -q public/theirs -o public/mine || rc=$?
  equal "from a file of somebody else" "$rc" 0
  check original public/mine
  # A directory that cannot be written to.
  chmod 555 public && chown 65534 public/theirs
  rc=0
  setpriv --reuid=65534 --regid=65534 --clear-groups public/shunt faststart --strategy copy public/theirs 2>err || rc=$?
  equal "a copy in a read-only directory" "$rc" 7
  same public/theirs original
  chmod 755 public
  no_leftovers public
fi

# 8: locked, or being written, by another process; this shell
need_command flock
exec 9<plain
flock -x 9
expect 8 faststart plain
says 'in use by another process'
# Who has it locked may be in the middle of an edit: its journal is not for others to recover.
echo "not read" >.plain.shunt-journal
expect 8 faststart --recover plain
expect 8 faststart plain
equal "the journal of somebody at work" "$(cat .plain.shunt-journal)" "not read"
rm .plain.shunt-journal
expect 3 faststart plain already-front plain
expect 0 faststart already-front
untouched "the file was locked"
expect 1 faststart --check plain
expect 8 faststart plain -o elsewhere
[[ ! -e elsewhere ]] || fail "a file that was locked was read into another"
# Whoever only reads keeps away those that change it, and no other reader.
flock -s 9
expect 8 faststart plain
expect 8 faststart --recover plain
expect 0 faststart plain -o beside
rm beside
untouched "the file was being read"
exec 9<&-
exec 9>>plain
expect 8 faststart plain
says 'open for writing'
untouched "the file was being written"
exec 9>&-
no_leftovers .
expect 0 faststart plain
check original plain

# 7: no way to write standard output
if [[ -e /dev/full ]]; then
  rc=0
  "$SHUNT" faststart original -o - >/dev/full 2>err || rc=$?
  equal "a full standard output" "$rc" 7
fi
