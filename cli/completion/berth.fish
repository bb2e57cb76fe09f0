# Completion of berth for fish. What can be typed is asked of berth itself.

function __berth_complete
    set -l words (commandline -opc) (commandline -ct)
    for candidate in (berth __complete $words[2..-1] 2>/dev/null)
        if test "$candidate" = :files
            __fish_complete_path (commandline -ct)
        else
            echo $candidate
        end
    end
end

complete -c berth -f -a '(__berth_complete)'
