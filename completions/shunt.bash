# Completion of shunt for bash. Needs nothing besides bash itself.

_shunt_files() {
  compopt -o filenames 2>/dev/null
  mapfile -t COMPREPLY < <(compgen -f -- "$1")
}

_shunt_directories() {
  compopt -o filenames 2>/dev/null
  mapfile -t COMPREPLY < <(compgen -d -- "$1")
}

_shunt_words() {
  mapfile -t COMPREPLY < <(compgen -W "$1" -- "$2")
}

_shunt() {
  local cur=${COMP_WORDS[COMP_CWORD]} prev=${COMP_WORDS[COMP_CWORD - 1]}
  # --option=value comes as three words.
  if [[ $cur == = ]]; then
    cur=
  elif [[ $prev == = ]]; then
    prev=${COMP_WORDS[COMP_CWORD - 2]}
  fi
  COMPREPLY=()

  local globals='-h --help -q --quiet -v --verbose --json --color --no-progress --cache-dir --config'
  local faststart='-o --output --check -n --dry-run --strategy --verify --recover --padding --jobs
    --force'
  local subcommands='faststart'

  # The subcommand, if it is there already; and whether options have ended.
  local subcommand='' ended='' i
  for ((i = 1; i < COMP_CWORD; ++i)); do
    case ${COMP_WORDS[i]} in
      --) ended=yes ;;
      --color | --cache-dir | --config) [[ ${COMP_WORDS[i + 1]} == = ]] && ((++i)); ((++i)) ;;
      -*) ;;
      *) [[ $subcommand ]] || subcommand=${COMP_WORDS[i]} ;;
    esac
  done

  if [[ ! $ended ]]; then
    case $prev in
      --color) _shunt_words 'auto always never' "$cur"; return ;;
      --cache-dir) _shunt_directories "$cur"; return ;;
      --config) _shunt_files "$cur"; return ;;
    esac
    if [[ $subcommand == faststart ]]; then
      case $prev in
        --strategy) _shunt_words 'auto reserve insert reflink copy shift' "$cur"; return ;;
        --padding) _shunt_words '4K 16K 64K 256K 1M' "$cur"; return ;;
        --jobs) _shunt_words '1 2 4 8 16' "$cur"; return ;;
        -o | --output) _shunt_files "$cur"; return ;;
      esac
    fi
  fi

  if [[ $cur == -* && ! $ended ]]; then
    case $subcommand in
      '') _shunt_words "$globals --version" "$cur" ;;
      faststart) _shunt_words "$globals $faststart" "$cur" ;;
    esac
    return
  fi
  case $subcommand in
    '') _shunt_words "$subcommands" "$cur" ;;
    *) _shunt_files "$cur" ;;
  esac
}

complete -F _shunt shunt
