#!/usr/bin/env bash
# Every include keeps to the floors of docs/architecture.md and to the ROOMS of its CMakeLists.txt, and
# nobody but a kind of Source knows how its names begin.
# Then the check is checked: each rule, broken in a copy of the sources, has to be noticed.
#
#   SHUNT_SOURCE_DIR  the root of the sources
set -euo pipefail

if [[ ! -d ${SHUNT_SOURCE_DIR-} ]]; then
  echo "skipped: SHUNT_SOURCE_DIR does not name the sources"
  exit 77
fi

readonly kMostFiles=30

# room_words ROOT: "ROOM<TAB>KEYWORD<TAB>WORD" for each word behind a keyword of shunt_room(). All rooms
# at once: a process for each of them would be most of the time that the checks of the check take.
room_words() {
  awk '
    function tell(    words, count, i, keyword) {
      if (!sub(/.*shunt_room\(/, "", text)) return
      sub(/\).*/, "", text)
      count = split(text, words)
      for (i = 1; i <= count; ++i) {
        if (words[i] ~ /^(SOURCES|HEADERS|API|ROOMS|LIBRARIES)$/) keyword = words[i]
        else if (keyword != "") print room "\t" keyword "\t" words[i]
      }
    }
    FNR == 1 {
      tell()
      text = ""
      room = FILENAME
      sub(/\/CMakeLists.txt$/, "", room)
      sub(/.*\//, "", room)
    }
    { sub(/#.*/, ""); text = text " " $0 }
    END { tell() }' "$1"/lib/*/CMakeLists.txt
}

# includes_of DIR...: "FILE<TAB>quoted or angled<TAB>what it includes".
includes_of() {
  grep -rE --include='*.h' --include='*.cc' --include='*.in' '^[[:space:]]*#[[:space:]]*include' "$@" |
    sed -nE -e 's/^([^:]*):[^"<]*"([^"]*)".*/\1\tquoted\t\2/p' \
      -e 's/^([^:]*):[^"<]*<([^>]*)>.*/\1\tangled\t\2/p'
}

# check ROOT: prints what is wrong there; nothing when all is well.
check() {
  local root=$1 floor_number names name room other file how what header
  local -A floor=() order=() may=() public=() installed=()
  local page=$root/docs/architecture.md

  # ---- the table of floors
  while read -r floor_number names; do
    for name in $names; do floor[$name]=$floor_number; done
  done < <(awk '/^```floors$/ { inside = 1; next } /^```/ { inside = 0 } inside' "$page")
  [[ ${#floor[@]} -gt 0 ]] || echo "no table of floors in docs/architecture.md"

  # ---- rooms: those that are there, those that are described, and what each may use
  local position=0
  while read -r room; do
    order[$room]=$((position++))
  done < <(sed -n 's/^add_subdirectory(\([a-z0-9_]*\)).*/\1/p' "$root/lib/CMakeLists.txt")

  local -a rooms=() programs=()
  for file in "$root"/lib/*/; do file=${file%/} && rooms+=("${file##*/}"); done
  for file in "$root"/apps/*/; do file=${file%/} && programs+=("${file##*/}"); done
  local described
  # shellcheck disable=SC2016  # they are of Markdown
  described=$'\n'$(grep -oE '^- `[^`]*/`: .{10,}' "$page" || true)
  for name in "${rooms[@]/#/lib/}" "${programs[@]/#/apps/}"; do
    [[ -n ${floor[${name#*/}]-} ]] || echo "$name stands on no floor of docs/architecture.md"
    [[ $described == *"
- \`$name/\`: "* ]] || echo "$name has no description in docs/architecture.md"
  done
  for name in "${!floor[@]}"; do
    [[ -d $root/lib/$name || -d $root/apps/$name ]] ||
      echo "docs/architecture.md has a room $name, which is not there"
  done
  while IFS=$'\t' read -r room what other; do
    header=$other
    case $what in
      HEADERS)
        public[$room/$header]=yes
        [[ -f $root/lib/$room/$header ]] || echo "lib/$room lists a header $header, which is not there"
        ;;
      API)
        installed[$room/$header]=yes
        [[ -f $root/lib/$room/$header ]] || echo "lib/$room lists a header $header as API, which is not there"
        ;;
      ROOMS)
        may[$room/$other]=yes
        if ((${floor[$other]-99} > ${floor[$room]-0})); then
          echo "lib/$room lists $other, which stands on a floor above"
        elif ((${order[$other]-99} >= ${order[$room]--1})); then
          echo "lib/$room lists $other, which lib/CMakeLists.txt does not put before it"
        fi
        ;;
    esac
  done < <(room_words "$root")

  # ---- includes
  while IFS=$'\t' read -r file how what; do
    file=${file#"$root"/}
    name=${file#*/} name=${name%%/*}
    other=${what%%/*}
    if [[ $what =~ ^lib(av|sw)[a-z]+/ && $file != lib/media/* ]]; then
      echo "$file includes FFmpeg's $what, which only lib/media may"
    fi
    if [[ $how == angled ]]; then
      [[ $what != shunt/* ]] || echo "$file includes <$what>; rooms come in quotes"
      continue
    fi
    # "shunt/ROOM/NAME.h"; and below apps/, headers of the same program.
    if [[ $what == shunt/* ]]; then
      what=${what#shunt/}
      other=${what%%/*}
    elif [[ $file == apps/* && $what != *..* && -f $root/apps/$name/$what ]]; then
      continue
    elif [[ $what == */* ]]; then
      echo "$file includes \"$what\", which does not begin with shunt/"
      continue
    fi
    if [[ $what != */* ]]; then
      if [[ $file == lib/* ]]; then
        echo "$file includes \"$what\" without its room"
      elif [[ ! -f $root/apps/$name/$what && ! -f $root/apps/$name/$what.in ]]; then
        echo "$file includes \"$what\", which is not in apps/$name"
      fi
      continue
    fi
    if [[ -n ${installed[${file#lib/}]-} && -z ${installed[$what]-} ]]; then
      echo "$file is installed and includes \"$what\", which is not"
    fi
    if [[ $file == lib/$other/* ]]; then
      [[ -f $root/lib/$what ]] || echo "$file includes \"$what\", which is not there"
    elif [[ ! -d $root/lib/$other || -z ${floor[$other]-} ]]; then
      echo "$file includes \"$what\", and $other is no room"
    elif ((floor[$other] > ${floor[$name]-0})); then
      echo "$file includes \"$what\" from a floor above"
    elif [[ -z ${public[$what]-} ]]; then
      echo "$file includes \"$what\", which is not among the HEADERS of lib/$other"
    elif [[ $file == lib/* && -z ${may[$name/$other]-} ]]; then
      echo "$file includes \"$what\", and $other is not among the ROOMS of lib/$name"
    fi
  done < <(includes_of "$root/lib" "$root/apps")

  # ---- a room can be held in mind, and so can a folder in it
  while read -r what file; do
    ((what <= kMostFiles)) || echo "${file#"$root"/} has $what files; a room has at most $kMostFiles"
  done < <(find "$root/lib" -name '*.h' -printf '%h\n' -o -name '*.cc' -printf '%h\n' | sort | uniq -c)

  # ---- kinds of Sources: how their names begin is known to their folders and to their protocol alone
  while read -r what; do
    while read -r file; do
      file=${file#"$root"/}
      case $file in
        lib/source/*/* | lib/http/* | lib/oci/*) ;;
        *) echo "$file knows of $what, which is for a folder of lib/source" ;;
      esac
    done < <(grep -rlF --include='*.h' --include='*.cc' -- "$what" "$root/lib" "$root/apps")
  done < <(grep -rohE '"[a-z]+:(//)?"' "$root"/lib/source/*/ | sort -u)
}

failures=0

problems=$(check "$SHUNT_SOURCE_DIR")
if [[ -n $problems ]]; then
  echo "$problems"
  failures=$(wc -l <<<"$problems")
fi

# ---- does it notice? ------------------------------------------------------------------------------

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

# notices WANTED COMMAND: after the command, run in a copy of the sources, the check says what is
# wanted (a part of a line).
notices() {
  rm -rf "$work/copy"
  mkdir -p "$work/copy/docs"
  cp -r "$SHUNT_SOURCE_DIR/lib" "$SHUNT_SOURCE_DIR/apps" "$work/copy/"
  cp "$SHUNT_SOURCE_DIR/docs/architecture.md" "$work/copy/docs/"
  (cd "$work/copy" && eval "$2")
  if ! grep -qF -- "$1" <<<"$(check "$work/copy")"; then
    echo "FAILED: not noticed: $2"
    failures=$((failures + 1))
  fi
}

if ((failures == 0)); then
  include() { printf '#include %s\n' "$2" >>"$1"; }
  notices '"faststart/plan.h" from a floor above' 'include lib/mp4/file_map.cc "\"shunt/faststart/plan.h\""'
  notices '"layout/layout.h" from a floor above' 'include lib/io/fd.h "\"shunt/layout/layout.h\""'
  notices 'layout is not among the ROOMS of lib/media' \
    'include lib/media/packet_trace.cc "\"shunt/layout/layout.h\""'
  notices 'mp4 is not among the ROOMS of lib/layout' 'include lib/layout/layout.h "\"shunt/mp4/file_map.h\""'
  notices 'not among the ROOMS of lib/mp4' 'sed -i "s/ROOMS base io layout/ROOMS base io/" lib/mp4/CMakeLists.txt'
  notices 'is not among the HEADERS of lib/media' 'include apps/shunt/main.cc "\"shunt/media/packet_digest.h\""'
  notices 'is not among the HEADERS of lib/mp4' 'include lib/faststart/plan.cc "\"shunt/mp4/nothing.h\""'
  notices '"io/file.h", which does not begin with shunt/' 'include apps/shunt/main.cc "\"io/file.h\""'
  notices '"../../lib/io/file.h", which does not begin with shunt/' \
    'include apps/shunt/main.cc "\"../../lib/io/file.h\""'
  notices 'cellar is no room' 'include lib/base/error.cc "\"shunt/cellar/rat.h\""'
  notices 'rooms come in quotes' 'include lib/base/error.cc "<shunt/base/result.h>"'
  notices 'without its room' 'include lib/base/error.cc "\"clock.h\""'
  notices 'which only lib/media may' 'include lib/faststart/verify.cc "<libavformat/avformat.h>"'
  notices 'lists faststart, which stands on a floor above' \
    'sed -i "s/ROOMS base io layout/ROOMS base io layout faststart/" lib/mp4/CMakeLists.txt'
  notices 'lists mp4, which lib/CMakeLists.txt does not put before it' \
    'sed -i "s/ROOMS base io/ROOMS base io mp4/" lib/layout/CMakeLists.txt'
  notices 'lib/mp4 has no description' 'sed -i "/^- .lib\/mp4\//d" docs/architecture.md'
  notices 'lib/mp4 stands on no floor' 'sed -i "/^1 /s/ mp4 / /" docs/architecture.md'
  notices 'lib/cellar stands on no floor' 'mkdir lib/cellar && echo "shunt_room(vault)" >lib/cellar/CMakeLists.txt'
  notices 'has a room cellar, which is not there' \
    'sed -i "s/^1 /& cellar /" docs/architecture.md'
  notices 'no table of floors' 'sed -i "s/^.*floors$//" docs/architecture.md'
  notices 'lib/fetch/head.cc knows of "docker://"' \
    'echo "bool is_image(std::string_view s) { return s.starts_with(\"docker://\"); }" >>lib/fetch/head.cc'
  notices 'apps/shunt/main.cc knows of "https://"' 'echo "const char* kBegin = \"https://\";" >>apps/shunt/main.cc'
  notices 'files; a room has at most' 'for i in {1..26}; do touch "lib/base/spare_$i.h"; done'
  notices 'lib/faststart/faststart.h is installed and includes "faststart/run.h"' \
    'include lib/faststart/faststart.h "\"shunt/faststart/run.h\""'
  notices 'lists a header nothing.h as API' 'sed -i "s/ API/& nothing.h/" lib/base/CMakeLists.txt'
  notices 'lists a header nothing.h' 'sed -i "s/HEADERS/& nothing.h/" lib/base/CMakeLists.txt'
fi

if ((failures > 0)); then
  echo "$failures failed"
  exit 1
fi
echo "passed"
