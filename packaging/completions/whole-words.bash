# Readline ends words at @, = and :, which addresses and paths have. Here a word ends at a space.
_mailcfg_whole_words() {
  local line=${COMP_LINE:0:COMP_POINT} readline_word=$2
  local -a COMP_WORDS
  read -ra COMP_WORDS <<< "$line"
  [[ $line == *[[:space:]] ]] && COMP_WORDS+=('')
  local COMP_LINE=$line COMP_CWORD=$((${#COMP_WORDS[@]} - 1))
  local word=${COMP_WORDS[COMP_CWORD]}
  _mailcfg "$1" "$word" "${COMP_WORDS[COMP_CWORD - 1]}"
  # Readline replaces only what comes after the last of its word ends.
  local kept=${word%"$readline_word"}
  COMPREPLY=("${COMPREPLY[@]#"$kept"}")
  # Only of files: of addresses, readline would write \@.
  if [[ -e ${COMPREPLY[0]} ]]; then compopt -o filenames 2> /dev/null; fi
}
complete -F _mailcfg_whole_words mailcfg
