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

  local globals='-h --help -q --quiet -v --verbose --json --color --no-progress --cache-dir
    --cache-size --config'
  local faststart='-o --output --check -n --dry-run --strategy --keep-inode --verify --recover
    --padding --preserve-times --jobs --force --layer'
  local remote='--range --layer --platform --jobs --header --plain-http --authfile --max-rate'
  local fetch="-o --output --offline --no-cache --force $remote"
  local cache_warm="--head --from $remote"
  local stream_sink='-o --output --to --run --listen --until-disconnect --return-time --allow-empty --size --truncate --window
    --read-window --commit --memory --spill --mkfifo --sparse --trace --advise --stdin --digest
    --force'
  local subcommands='faststart fetch cache-warm cache stream-sink help'
  local of_cache='ls stat verify gc rm pin unpin'

  # The subcommand, if it is there already, and the one of `cache`; and whether options have ended.
  local subcommand='' part='' ended='' i
  for ((i = 1; i < COMP_CWORD; ++i)); do
    case ${COMP_WORDS[i]} in
      --) ended=yes ;;
      --color | --cache-dir | --cache-size | --config)
        [[ ${COMP_WORDS[i + 1]} == = ]] && ((++i))
        ((++i))
        ;;
      -*) ;;
      *)
        if [[ ! $subcommand ]]; then
          subcommand=${COMP_WORDS[i]}
        elif [[ ! $part ]]; then
          part=${COMP_WORDS[i]}
        fi
        ;;
    esac
  done

  if [[ ! $ended ]]; then
    case $prev in
      --color) _shunt_words 'auto always never' "$cur"; return ;;
      --cache-dir) _shunt_directories "$cur"; return ;;
      --cache-size) _shunt_words '1G 10G 100G' "$cur"; return ;;
      --config) _shunt_files "$cur"; return ;;
    esac
    case $subcommand$prev in
      faststart--strategy) _shunt_words 'auto reserve insert reflink copy shift' "$cur"; return ;;
      faststart--padding) _shunt_words '4K 16K 64K 256K 1M' "$cur"; return ;;
      faststart--jobs | fetch--jobs | cache-warm--jobs) _shunt_words '1 2 4 8 16' "$cur"; return ;;
      faststart-o | faststart--output | fetch-o | fetch--output | cache-warm--from | \
        fetch--authfile | cache-warm--authfile | stream-sink-o | stream-sink--output | \
        stream-sink--trace) _shunt_files "$cur"; return ;;
      fetch--platform | cache-warm--platform)
        _shunt_words 'linux/amd64 linux/arm64 linux/arm/v7 linux/386 linux/ppc64le linux/s390x
          linux/riscv64' "$cur"
        return
        ;;
      faststart--layer | fetch--layer) return ;;
      cache-warm--layer) _shunt_words 'all' "$cur"; return ;;
      fetch--max-rate | cache-warm--max-rate | cache--max-size)
        _shunt_words '1M 10M 100M 1G 10G' "$cur"
        return
        ;;
      stream-sink--commit) _shunt_words 'auto window at-end' "$cur"; return ;;
      stream-sink--digest) _shunt_words 'sha256' "$cur"; return ;;
      stream-sink--spill)
        _shunt_directories "$cur"
        [[ none != "$cur"* ]] || COMPREPLY+=(none)
        return
        ;;
      stream-sink--window | stream-sink--read-window)
        _shunt_words '0 1M 16M 64M 256M' "$cur"
        return
        ;;
      stream-sink--memory) _shunt_words '16M 64M 256M 1G' "$cur"; return ;;
      stream-sink--size) _shunt_words '100M 1G 10G 100G' "$cur"; return ;;
      stream-sink--run | stream-sink--to) mapfile -t COMPREPLY < <(compgen -c -- "$cur"); return ;;
      stream-sink--listen) _shunt_words 'unix: tcp: fd' "$cur"; return ;;
      fetch--range | cache-warm--range | fetch--header | cache-warm--header) return ;;
    esac
  fi

  if [[ $cur == -* && ! $ended ]]; then
    case $subcommand in
      '') _shunt_words "$globals --version" "$cur" ;;
      faststart) _shunt_words "$globals $faststart" "$cur" ;;
      fetch) _shunt_words "$globals $fetch" "$cur" ;;
      cache-warm) _shunt_words "$globals $cache_warm" "$cur" ;;
      stream-sink) _shunt_words "$globals $stream_sink" "$cur" ;;
      help) _shunt_words "$globals" "$cur" ;;
      cache)
        [[ $part == gc ]] && globals+=' --max-size'
        _shunt_words "$globals" "$cur"
        ;;
    esac
    return
  fi
  case $subcommand in
    '') _shunt_words "$subcommands" "$cur" ;;
    cache) [[ $part ]] || _shunt_words "$of_cache" "$cur" ;;
    stream-sink) ;;  # takes no arguments
    help)
      if [[ ! $part ]]; then
        _shunt_words "$subcommands" "$cur"
      elif [[ $part == cache ]]; then
        _shunt_words "$of_cache" "$cur"
      fi
      ;;
    *) _shunt_files "$cur" ;;
  esac
}

complete -F _shunt shunt
