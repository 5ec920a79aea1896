#!/usr/bin/env bash
# Manual pages and completions name the options of --help, all of them and no others, and work.
#
#   SHUNT             the program
#   SHUNT_SOURCE_DIR  the root of the sources
set -euo pipefail

if [[ ! -x ${SHUNT-} || ! -d ${SHUNT_SOURCE_DIR-} ]]; then
  echo "skipped: SHUNT and SHUNT_SOURCE_DIR do not name a program and the sources"
  exit 77
fi

# Neither the configuration nor the environment of whoever runs this.
while IFS= read -r name; do
  [[ $name == SHUNT || $name == SHUNT_SOURCE_DIR ]] || unset "$name"
done < <(compgen -e SHUNT_)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
export XDG_CONFIG_HOME=$work

readonly kMan=$SHUNT_SOURCE_DIR/docs/man
readonly kBash=$SHUNT_SOURCE_DIR/completions/shunt.bash
readonly kZsh=$SHUNT_SOURCE_DIR/completions/_shunt

failures=0
fail() {
  echo "FAILED: $*"
  failures=$((failures + 1))
}

# same WHAT EXPECTED FOUND: both are lists, one word on each line.
same() {
  local missing extra
  missing=$(comm -23 <(sort -u <<<"$2") <(sort -u <<<"$3") | paste -sd ' ')
  extra=$(comm -13 <(sort -u <<<"$2") <(sort -u <<<"$3") | paste -sd ' ')
  [[ -z $missing ]] || fail "$1 lacks: $missing"
  [[ -z $extra ]] || fail "$1 has what --help does not: $extra"
}

# ---- what --help says -----------------------------------------------------------------------------

# options_of HELP: "  -o,--output OUT  Write…" gives -o and --output. Global options are not its own.
own() { sed '/^Global options:/,/^Examples:/d' <<<"$1"; }
options_of() { own "$1" | sed -n 's/^  \(-[^ ]*\).*/\1/p' | tr ',' '\n'; }
variables_of() { own "$1" | grep -oE 'Env:SHUNT_[A-Z_]+' | sed 's/^Env://'; }

# What a help lists under its commands, one a line.
subcommands_of() { sed -n '/^Commands:/,/^$/s/^  \([a-z][a-z-]*\) .*/\1/p' <<<"$1"; }

top_help=$("$SHUNT" --help)
top=$(options_of "$top_help")
subcommands=$(subcommands_of "$top_help")
[[ -n $subcommands ]] || fail "--help was not understood: no subcommands in it"
# The common options of which --help of a subcommand shows only its own -h and --help.
common=$(grep -vxe --version <<<"$top")

# Of each subcommand, and of each below one ("cache gc"): help, and the options in it.
declare -A help options parts
for name in $subcommands; do
  help[$name]=$("$SHUNT" "$name" --help)
  options[$name]=$(options_of "${help[$name]}")
  parts[$name]=$(subcommands_of "${help[$name]}")
  for part in ${parts[$name]}; do
    help[$name $part]=$("$SHUNT" "$name" "$part" --help)
    options[$name $part]=$(options_of "${help[$name $part]}")
  done
done
# with_parts ARRAY NAME: what it has for a subcommand and for all below it.
with_parts() {
  local -n array=$1
  local part
  echo "${array[$2]}"
  for part in ${parts[$2]}; do echo "${array[$2 $part]}"; done
}

for option in --help --json --version --cache-size; do
  grep -qxe "$option" <<<"$top" || fail "--help was not understood: no $option in it"
done
for words in faststart:-o faststart:--strategy faststart:--recover fetch:--range cache-warm:--from stream-sink:--stdin \
  "cache gc:--max-size"; do
  grep -qxe "${words#*:}" <<<"${options[${words%:*}]}" ||
    fail "${words%:*} --help was not understood: no ${words#*:} in it"
done
for part in ls gc unpin; do
  grep -qx "$part" <<<"${parts[cache]}" || fail "cache --help was not understood: no $part in it"
done

# values OPTION: the words that the program accepts for an option, out of its own refusal.
values() {
  { "$SHUNT" faststart "$1" no-such-word FILE 2>&1 || true; } |
    sed -n "s/.*takes \(.*\), not .*/\1/p" | sed 's/, \| or /\n/g'
}
strategies=$(values --strategy)
colors=$(values --color)
[[ -n $strategies && -n $colors ]] || fail "the program does not say what it accepts"

# ---- manual pages -------------------------------------------------------------------------------

# In mdoc, "Fl o" is -o and "Fl -output" is --output. described: those of the list of options.
flags() { grep -oE '\bFl -?[a-z][a-z-]*' | sed 's/^Fl /-/'; }
described() { grep -E '^\.It Fl ' "$1" | flags; }
mentioned() { flags <"$kMan/$1"; }

same shunt.1 "$top" "$(described "$kMan/shunt.1")"
same "shunt.1 (environment)" "$(variables_of "$top_help")" \
  "$(grep -oE '\bSHUNT_[A-Z_]+' "$kMan/shunt.1")"
for name in $subcommands; do
  page=shunt-$name.1
  grep -qxE "\.It Cm $name( Op Ar COMMAND)?" "$kMan/shunt.1" || fail "shunt.1 lacks the subcommand $name"
  [[ $name != help ]] || continue # which has no page of its own
  [[ -f $kMan/$page ]] || { fail "the subcommand $name has no manual page" && continue; }
  same "$page" "$(with_parts options "$name")" "$(described "$kMan/$page")"
  same "$page (environment)" "$(with_parts help "$name" | variables_of "$(cat)")" \
    "$(grep -oE '\bSHUNT_[A-Z_]+' "$kMan/$page" || true)"
  for part in ${parts[$name]}; do
    grep -qx "\.It Cm $part" "$kMan/$page" || fail "$page lacks the command $part"
  done
done
all_options=$top
for name in "${!options[@]}"; do all_options+=$'\n'${options[$name]}; done
for page in "$kMan"/*.1; do
  unknown=$(comm -13 <(sort -u <<<"$all_options") <(mentioned "$(basename "$page")" | sort -u))
  [[ -z $unknown ]] || fail "$page mentions ${unknown//$'\n'/ }, which no --help has"
done
same "shunt-faststart.1 (strategies)" "$(grep -vx auto <<<"$strategies")" \
  "$(sed -n '/^\.Ss Strategies/,/^\.El/s/^\.It Cm //p' "$kMan/shunt-faststart.1")"
if command -v mandoc >/dev/null; then
  for page in "$kMan"/*.1; do
    mandoc -Tlint -W warning "$page" || fail "mandoc finds fault with $page"
  done
else
  echo "not checked, no mandoc: the markup of the manual pages"
fi

# ---- bash ---------------------------------------------------------------------------------------

# completed WORD...: what the completion offers for the last word.
completed() (
  set +eu
  # shellcheck source=/dev/null
  source "$kBash"
  # Names that only this function reads.
  # shellcheck disable=SC2034
  COMP_WORDS=("$@") COMP_CWORD=$(($# - 1))
  _shunt
  printf '%s\n' "${COMPREPLY[@]}"
)

# offers WORDS WANTED: exactly these, both separated by blanks.
offers() {
  local words found
  read -ra words <<<"$1"
  [[ $1 != *' ' ]] || words+=('')
  found=$(cd "$work/files" && completed "${words[@]}" | sort | paste -sd ' ')
  [[ $found == "$2" ]] || fail "bash: '$1' offers '$found' instead of '$2'"
}

mkdir -p "$work/files/dir"
touch "$work/files/a.mp4" "$work/files/b.mp4"

(
  set +eu
  # shellcheck source=/dev/null
  source "$kBash" && complete -p shunt >/dev/null
) || fail "bash: shunt has no completion after sourcing $kBash"

same "bash, shunt" "$top" "$(completed shunt -)"
for words in "${!options[@]}"; do
  read -ra split <<<"$words"
  same "bash, shunt $words" "$common"$'\n'"${options[$words]}" "$(completed shunt "${split[@]}" -)"
done
same "bash, commands of cache" "${parts[cache]}" "$(completed shunt cache '')"
same "bash, subcommands" "$subcommands" "$(completed shunt '')"
same "bash, --strategy" "$strategies" "$(completed shunt faststart --strategy '')"
same "bash, --color" "$colors" "$(completed shunt --color '')"
offers "shunt fast" "faststart"
offers "shunt --json fast" "faststart"
offers "shunt --color never fast" "faststart"
offers "shunt faststart --rec" "--recover"
offers "shunt faststart --strategy re" "reflink reserve"
offers "shunt faststart --strategy = sh" "shift"
offers "shunt faststart --strategy =" "auto copy insert reflink reserve shift"
offers "shunt faststart a" "a.mp4"
offers "shunt faststart -o b" "b.mp4"
offers "shunt faststart a.mp4 " "a.mp4 b.mp4 dir"
offers "shunt faststart --cache-dir " "dir"
offers "shunt faststart -- --rec" ""
offers "shunt cache" "cache cache-warm"
offers "shunt --cache-size 1G cac" "cache cache-warm"
offers "shunt cache st" "stat"
offers "shunt cache --json --cache-dir dir un" "unpin"
offers "shunt cache gc --max" "--max-size"
offers "shunt cache rm " ""
offers "shunt fetch -o a" "a.mp4"
offers "shunt fetch --off" "--offline"
offers "shunt cache-warm --layer " "all"
offers "shunt cache-warm --from b" "b.mp4"
offers "shunt str" "stream-sink"
offers "shunt stream-sink --until" "--until-disconnect"
offers "shunt stream-sink --commit " "at-end auto window"
offers "shunt stream-sink --spill " "dir none"
offers "shunt stream-sink -o a" "a.mp4"
offers "shunt stream-sink " ""

# ---- zsh ----------------------------------------------------------------------------------------

[[ $(head -n 1 "$kZsh") == '#compdef shunt' ]] || fail "zsh: $kZsh does not say what it completes"
if command -v zsh >/dev/null; then
  zsh -n "$kZsh" || fail "zsh: syntax"
  # specs ARRAY: its elements as zsh expands them, "(-q --quiet)-q[say nothing]:…"
  specs() {
    sed -n "/^$1=(/,/^)/p" "$kZsh" >"$work/array"
    zsh -fc 'source $1 && print -rl -- ${(P)2}' zsh "$work/array" "$1"
  }
  # The option of each: without what it excludes, without a leading *, up to the description.
  spec_options() { specs "$1" | sed -nE 's/^(\([^)]*\))?\*?(--?[a-z][a-z-]*)[+=]?-?\[.*/\2/p'; }
  spec_values() { specs "$1" | sed -nE "s/^$2=?\[.*:\((.*)\)\$/\1/p" | tr ' ' '\n'; }

  same "zsh, shunt" "$top" "$(spec_options globals && spec_options top)"
  # The arrays that _arguments gets for each, besides that of the common options.
  declare -A arrays=([faststart]=faststart [fetch]='fetch remote' [cache-warm]='warm remote'
    [cache]='' [cache gc]=gc [stream-sink]=sink)
  for words in "${!options[@]}"; do
    same "zsh, shunt $words" "$common"$'\n'"${options[$words]}" \
      "$(for array in globals ${arrays[$words]-}; do spec_options "$array"; done)"
  done
  same "zsh, subcommands" "$subcommands" "$(specs subcommands | sed 's/:.*//')"
  same "zsh, commands of cache" "${parts[cache]}" "$(specs parts | sed 's/:.*//')"
  same "zsh, --strategy" "$strategies" "$(spec_values faststart --strategy)"
  same "zsh, --color" "$colors" "$(spec_values globals --color)"
else
  echo "not checked, no zsh: $kZsh"
fi

if ((failures > 0)); then
  echo "$failures failed"
  exit 1
fi
echo "passed"
