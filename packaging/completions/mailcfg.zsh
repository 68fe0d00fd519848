#compdef mailcfg
# zsh completion for mailcfg(8)

_mailcfg_names() {
  local -a database names
  local index
  for ((index = 2; index < CURRENT; index++)); do
    case $words[index] in
      --db | --config) database+=($words[index] $words[index+1]) ;;
      --db=* | --config=*) database+=($words[index]) ;;
    esac
  done
  names=(${(f)"$(mailcfg complete $1 $database 2> /dev/null)"})
  compadd -a names
}
_mailcfg_users() { _mailcfg_names users }
_mailcfg_domains() { _mailcfg_names domains }
_mailcfg_aliases() { _mailcfg_names aliases }
_mailcfg_new_user() {
  if compset -P '*@'; then _mailcfg_names domains; fi
}

_mailcfg() {
  local -a verbs common format scheme
  local verb index
  verbs=(
    'addalias:deliver mail to an address elsewhere as well' 'adddom:accept mail for a domain' 'adduser:add a mailbox'
    'lsalias:list aliases' 'lsdom:list domains' 'lsuser:list users' 'rmalias:remove an alias' 'rmdom:remove a domain'
    'rmuser:remove a user' 'passwd:change a password' 'disable:disable a user' 'enable:enable a user'
    'set:change limits of a user' 'import:add and change accounts from a file' 'export:print all accounts as JSON'
    'check:look for mistakes' 'verify:check a password' 'backup:copy the database' 'schemes:list old password hashes'
    'help:help'
  )
  common=('--db=[database]:file:_files' '--config=[configuration]:file:_files' '--help[help]')
  format=('--format=[format]:format:(json tsv text)')
  scheme=('--scheme=[how the password is hashed]:scheme:(ARGON2ID BLF-CRYPT SHA512-CRYPT)')
  for ((index = 2; index < CURRENT; index++)); do
    case $words[index] in
      --db | --config) ((index++)) ;;
      -*) ;;
      *) verb=$words[index]; break ;;
    esac
  done
  if [[ -z $verb ]]; then
    _arguments $common '--version[version]' '1:verb:{_describe verb verbs}'
    return
  fi
  case $verb in
    addalias) _arguments $common --create-domain --dry-run ':verb:' ':source:_mailcfg_users' ':destination:_mailcfg_users' ;;
    adddom) _arguments $common --dry-run ':verb:' ':domain:' ;;
    adduser)
      _arguments $common $scheme --stdin --generate --disabled --send-only --receive-only '--quota=:size:' \
        --create-domain --dry-run ':verb:' ':address:_mailcfg_new_user'
      ;;
    passwd) _arguments $common $scheme --stdin --generate --dry-run ':verb:' ':user:_mailcfg_users' ;;
    disable | enable) _arguments $common --dry-run ':verb:' ':user:_mailcfg_users' ;;
    set) _arguments $common --send-only --receive-only --normal '--quota=:size:' --dry-run ':verb:' ':user:_mailcfg_users' ;;
    verify) _arguments $common --stdin ':verb:' ':user:_mailcfg_users' ;;
    lsdom) _arguments $common $format '--search=:text:' ':verb:' ;;
    lsuser)
      _arguments $common $format '--domain=:domain:_mailcfg_domains' '--search=:text:' --disabled --enabled ':verb:' \
        ':domain:_mailcfg_domains'
      ;;
    lsalias)
      _arguments $common $format '--domain=:domain:_mailcfg_domains' '--search=:text:' ':verb:' ':domain:_mailcfg_domains'
      ;;
    schemes) _arguments $common $format '--domain=:domain:_mailcfg_domains' '--search=:text:' ':verb:' ;;
    rmalias) _arguments $common '-id:number:' --dry-run ':verb:' ':alias:_mailcfg_aliases' ;;
    rmdom) _arguments $common --yes --purge-mail --dry-run ':verb:' ':domain:_mailcfg_domains' ;;
    rmuser) _arguments $common --yes --purge-mail --dry-run ':verb:' ':user:_mailcfg_users' ;;
    import)
      _arguments $common $scheme '--format=:format:(json csv)' --prune --yes --dry-run ':verb:' ':file:_files'
      ;;
    export) _arguments $common --no-passwords ':verb:' ;;
    check) _arguments $common $format ':verb:' ;;
    backup) _arguments $common ':verb:' ':file:_files' ;;
    help) _arguments $common ':verb:' '2:verb:{_describe verb verbs}' ;;
    *) _arguments $common ;;
  esac
}

_mailcfg "$@"
