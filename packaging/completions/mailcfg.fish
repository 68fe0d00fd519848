# fish completion for mailcfg(8)
function __mailcfg_names
    set -l words (commandline -opc)
    set -l database
    for index in (seq (count $words))
        if contains -- $words[$index] --db --config
            set -l next (math $index + 1)
            set database $database $words[$index] $words[$next]
        end
    end
    mailcfg complete $argv[1] $database 2>/dev/null
end
function __mailcfg_new_users
    set -l local (string split -f1 @ -- (commandline -ct))
    test -n "$local"; and __mailcfg_names domains | string replace -r '^' "$local@"
end

set -l verbs addalias adddom adduser lsalias lsdom lsuser rmalias rmdom rmuser passwd disable enable set import export check verify backup schemes help
complete -c mailcfg -f
complete -c mailcfg -n "not __fish_seen_subcommand_from $verbs" -a "$verbs"
complete -c mailcfg -n "not __fish_seen_subcommand_from $verbs" -l version -d "the version"
complete -c mailcfg -l db -r -F -d "this database"
complete -c mailcfg -l config -r -F -d "this configuration"
complete -c mailcfg -l help -d "help"
complete -c mailcfg -n "__fish_seen_subcommand_from help" -a "$verbs"
complete -c mailcfg -n "__fish_seen_subcommand_from rmuser passwd disable enable set verify addalias" -a "(__mailcfg_names users)"
complete -c mailcfg -n "__fish_seen_subcommand_from rmdom lsuser lsalias" -a "(__mailcfg_names domains)"
complete -c mailcfg -n "__fish_seen_subcommand_from rmalias" -a "(__mailcfg_names aliases)"
complete -c mailcfg -n "__fish_seen_subcommand_from adduser" -a "(__mailcfg_new_users)"
complete -c mailcfg -n "__fish_seen_subcommand_from import backup" -F
complete -c mailcfg -n "__fish_seen_subcommand_from addalias adddom adduser rmalias rmdom rmuser passwd disable enable set import" -l dry-run -d "change nothing"
complete -c mailcfg -n "__fish_seen_subcommand_from addalias adduser" -l create-domain -d "add the domain, too"
complete -c mailcfg -n "__fish_seen_subcommand_from adduser passwd verify" -l stdin -d "password from standard input"
complete -c mailcfg -n "__fish_seen_subcommand_from adduser passwd" -l generate -d "make a password"
complete -c mailcfg -n "__fish_seen_subcommand_from adduser passwd import" -l scheme -x -a "ARGON2ID BLF-CRYPT SHA512-CRYPT"
complete -c mailcfg -n "__fish_seen_subcommand_from adduser set" -l send-only
complete -c mailcfg -n "__fish_seen_subcommand_from adduser set" -l receive-only
complete -c mailcfg -n "__fish_seen_subcommand_from set" -l normal
complete -c mailcfg -n "__fish_seen_subcommand_from adduser set" -l quota -x
complete -c mailcfg -n "__fish_seen_subcommand_from adduser lsuser" -l disabled
complete -c mailcfg -n "__fish_seen_subcommand_from lsuser" -l enabled
complete -c mailcfg -n "__fish_seen_subcommand_from lsuser lsalias schemes" -l domain -x -a "(__mailcfg_names domains)"
complete -c mailcfg -n "__fish_seen_subcommand_from lsdom lsuser lsalias schemes" -l search -x
complete -c mailcfg -n "__fish_seen_subcommand_from lsdom lsuser lsalias schemes check" -l format -x -a "json tsv text"
complete -c mailcfg -n "__fish_seen_subcommand_from import" -l format -x -a "json csv"
complete -c mailcfg -n "__fish_seen_subcommand_from rmalias" -o id -x
complete -c mailcfg -n "__fish_seen_subcommand_from rmdom rmuser import" -l yes -d "do not ask"
complete -c mailcfg -n "__fish_seen_subcommand_from rmdom rmuser" -l purge-mail -d "move the mail aside"
complete -c mailcfg -n "__fish_seen_subcommand_from import" -l prune -d "also remove"
complete -c mailcfg -n "__fish_seen_subcommand_from export" -l no-passwords
