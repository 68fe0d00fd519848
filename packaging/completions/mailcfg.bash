# bash completion for mailcfg(8)
_mailcfg() {
  local word verb='' count=0 index cur prev
  # Readline ends words at @, = and :, which addresses and paths have; what is typed is split at spaces instead.
  local line=${COMP_LINE:0:COMP_POINT}
  local -a words
  read -ra words <<< "$line"
  [[ $line == *[[:space:]] ]] && words+=('')
  local last=$((${#words[@]} - 1))
  cur=${words[last]}
  prev=${words[last - 1]}
  local verbs='addalias adddom adduser lsalias lsdom lsuser rmalias rmdom rmuser passwd disable enable set import export
    check verify backup schemes help'
  local common='--db --config --help'
  local -a database=()
  for ((index = 1; index < last; index++)); do
    word=${words[index]}
    case $word in
      --db | --config)
        # The names come from the database that the call is about.
        database+=("$word" "${words[index + 1]}")
        ((index++))
        ;;
      --format | --domain | --search | --quota | --scheme | --id | -id) ((index++)) ;;
      -*) ;;
      *) if [[ -z $verb ]]; then verb=$word; else ((count++)); fi ;;
    esac
  done
  _mailcfg_names() { mailcfg complete "$1" "${database[@]}" 2> /dev/null; }

  case $prev in
    --db | --config) mapfile -t COMPREPLY < <(compgen -f -- "$cur"); return ;;
    --format)
      case $verb in
        import) word='json csv' ;;
        *) word='json tsv text' ;;
      esac
      mapfile -t COMPREPLY < <(compgen -W "$word" -- "$cur")
      return
      ;;
    --scheme) mapfile -t COMPREPLY < <(compgen -W 'ARGON2ID BLF-CRYPT SHA512-CRYPT' -- "$cur"); return ;;
    --domain) mapfile -t COMPREPLY < <(compgen -W "$(_mailcfg_names domains)" -- "$cur"); return ;;
    --search | --quota | --id | -id) return ;;
  esac

  if [[ $cur == -* ]]; then
    case $verb in
      addalias) word='--create-domain --dry-run' ;;
      adddom | disable | enable) word='--dry-run' ;;
      adduser) word='--stdin --generate --scheme --disabled --send-only --receive-only --quota --create-domain --dry-run' ;;
      passwd) word='--stdin --generate --scheme --dry-run' ;;
      lsdom) word='--search --format' ;;
      lsalias | schemes) word='--domain --search --format' ;;
      lsuser) word='--domain --search --disabled --enabled --format' ;;
      rmalias) word='-id --dry-run' ;;
      rmdom | rmuser) word='--yes --purge-mail --dry-run' ;;
      set) word='--send-only --receive-only --normal --quota --dry-run' ;;
      import) word='--format --prune --scheme --yes --dry-run' ;;
      export) word='--no-passwords' ;;
      check) word='--format' ;;
      verify) word='--stdin' ;;
      '') word='--version' ;;
      *) word='' ;;
    esac
    mapfile -t COMPREPLY < <(compgen -W "$word $common" -- "$cur")
    return
  fi

  case $verb:$count in
    :*) word=$verbs ;;
    help:0) word=$verbs ;;
    rmdom:0 | lsuser:0 | lsalias:0) word=$(_mailcfg_names domains) ;;
    rmuser:0 | passwd:0 | disable:0 | enable:0 | set:0 | verify:0) word=$(_mailcfg_names users) ;;
    addalias:1) word=$(_mailcfg_names users) ;;
    rmalias:0) word=$(_mailcfg_names aliases) ;;
    adduser:0)
      # The domain after the @.
      [[ $cur == *@* ]] || return
      word=$(_mailcfg_names domains | sed "s/^/${cur%%@*}@/")
      ;;
    import:0 | backup:0) mapfile -t COMPREPLY < <(compgen -f -- "$cur"); return ;;
    *) return ;;
  esac
  mapfile -t COMPREPLY < <(compgen -W "$word" -- "$cur")
  # Readline replaces only what comes after the last of its word ends.
  if [[ $cur == *@* && $COMP_WORDBREAKS == *@* ]]; then COMPREPLY=("${COMPREPLY[@]#"${cur%@*}@"}"); fi
}
complete -F _mailcfg mailcfg
