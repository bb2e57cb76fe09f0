# Completion of berth for bash. What can be typed is asked of berth itself.

_berth() {
    local line=${COMP_LINE:0:COMP_POINT} word
    local -a words
    # The words as berth sees them: bash's own ones are split at colons.
    read -ra words <<< "$line"
    [[ $line == *[[:space:]] ]] && words+=("")
    word=${words[-1]}
    local -a found
    mapfile -t found < <(berth __complete "${words[@]:1}" 2>/dev/null)
    local candidate files=
    COMPREPLY=()
    for candidate in "${found[@]}"; do
        if [[ $candidate == :files ]]; then
            files=1
        else
            COMPREPLY+=("$candidate")
        fi
    done
    if [[ $files ]]; then
        mapfile -t -O "${#COMPREPLY[@]}" COMPREPLY < <(compgen -f -- "$word")
        compopt -o filenames 2>/dev/null
    fi
    # What is there before the last colon bash keeps by itself.
    if [[ $word == *:* && $COMP_WORDBREAKS == *:* ]]; then
        local kept=${word%"${word##*:}"}
        COMPREPLY=("${COMPREPLY[@]#"$kept"}")
    fi
    [[ ${#COMPREPLY[@]} -eq 1 && ${COMPREPLY[0]} == *[:/=] ]] && compopt -o nospace 2>/dev/null
    return 0
}

complete -F _berth berth
