#!/bin/sh
# Brings this host its part of the bundle @NAME@ from the mirror that this script is from: the tool for its machine and
# the files for edges, each held to the sums below, and to who has signed them where this host trusts some keys. Needs sh,
# awk and curl, wget or busybox; sha256sum, busybox or openssl; openssl for signatures.
edge() {
    set -fu
    umask 022
    LC_ALL=C
    export LC_ALL
    unset CDPATH
    mirror=@MIRROR@
    name='@NAME@'
    id='@ID@'
    tab=$(printf '\t')

    usage() {
        cat <<'TEXT'
Usage: sh edge.sh [--root DIR] [--id ID] [--ca-file FILE] [--netrc-file FILE]
                  [--join [--host NAME] [--port PORT] [--code-file FILE]]

Fetch this host's part of a bundle, verify it, and make it the active one below DIR. Running it again does nothing, or
goes on where an earlier run was cut short; the bundle that was active before stays until the new one is verified.

  --root DIR          where bundles lie side by side (default /opt)
  --id ID             the bundle has to be this one; without it, and over plain HTTP, only accidents are found
  --ca-file FILE      authorities (PEM) that a mirror with TLS is held to
  --netrc-file FILE   users and passwords, for a mirror that asks for them (with curl alone)
  --join              then join the site: `bundler site join` of the bundle asks on the terminal for the code that
                      `bundler site invite` showed on the master, and takes the steps of an edge
  --host NAME         which host of the site this one is (default: the one of its name)
  --port PORT         where the master takes the code (default 8090)
  --code-file FILE    holds the code, readable by its owner alone, where there is no terminal
  --help              show this text

Exit status: 0 done, 2 wrong arguments, 4 the mirror gives no files, 5 it gives wrong ones, 9 this host cannot use
them, 11 the disk is full; once files are there, --join ends as the tool does.
TEXT
    }

    say() { printf '%s\n' "$*"; }

    refuse() {
        printf 'edge.sh: %s\n' "$1" >&2
        exit "$2"
    }

    has() { command -v "$1" >/dev/null 2>&1; }

    named=''
@SIGNATURES@

    root=/opt wanted='' ca_file='' netrc_file='' join='' host='' port='' code_file=''
    while [ $# -gt 0 ]; do
        case $1 in
        --root | --id | --ca-file | --netrc-file | --host | --port | --code-file)
            [ $# -gt 1 ] && [ -n "$2" ] || refuse "$1 needs a value; see edge.sh --help" 2
            option=$1 value=$2
            shift
            ;;
        --root=?* | --id=?* | --ca-file=?* | --netrc-file=?* | --host=?* | --port=?* | --code-file=?*)
            option=${1%%=*} value=${1#*=}
            ;;
        --join) option=$1 value=yes ;;
        -h | --help) usage && exit 0 ;;
        *) refuse "unknown argument '$1'; see edge.sh --help" 2 ;;
        esac
        case $option in
        --root) root=$value ;;
        --id) wanted=${value#sha256:} ;;
        --ca-file) ca_file=$value ;;
        --netrc-file) netrc_file=$value ;;
        --join) join=$value ;;
        --host) host=$value ;;
        --port) port=$value ;;
        --code-file) code_file=$value ;;
        esac
        shift
    done
    if [ -n "$join" ]; then
        if [ -n "$code_file" ]; then
            [ -r "$code_file" ] || refuse "$code_file cannot be read" 2
            case $code_file in /*) ;; *) code_file=$(pwd -P)/$code_file ;; esac
        elif ! (: </dev/tty) 2>/dev/null; then
            refuse 'there is no terminal to ask for the code on; put it into a file of mode 0600 and name it with --code-file' 2
        fi
    elif [ -n "$host$port$code_file" ]; then
        refuse '--host, --port and --code-file go with --join; see edge.sh --help' 2
    fi
    for file in "$ca_file" "$netrc_file"; do
        [ -z "$file" ] || [ -r "$file" ] || refuse "$file cannot be read" 2
    done
    case $root in /*) ;; *) root=$(pwd -P)/$root ;; esac

    if [ -n "$wanted" ]; then
        case $wanted in *[!0-9a-f]*) refuse "'$wanted' is no bundle's id" 2 ;; esac
        [ ${#wanted} -ge 12 ] || refuse "'$wanted' is too short for an id: write at least 12 digits" 2
        case $id in
        "$wanted"*) ;;
        *) refuse "the mirror serves another bundle: want $wanted, got $id" 5 ;;
        esac
    fi
    case $(uname -m) in
    x86_64) machine=x86_64 letter=x platform=linux/amd64 ;;
    aarch64 | arm64)
        machine=aarch64 letter=a platform=linux/arm64
        # a system of 32 bits below a kernel of 64, as on many a single-board computer
        if [ ! -e /lib/ld-linux-aarch64.so.1 ] && [ -e /lib/ld-linux-armhf.so.3 ]; then
            machine=armv7l letter=v platform=linux/arm/v7
        fi
        ;;
    armv7* | armv8l) machine=armv7l letter=v platform=linux/arm/v7 ;;
    *) refuse "there is nothing for $(uname -m) on this mirror; it has files for x86_64, aarch64 and armv7l" 9 ;;
    esac

    if has curl; then
        fetcher=curl
    elif has wget && wget --version 2>/dev/null | grep -q GNU; then
        fetcher=wget
    elif has wget || has busybox; then
        fetcher=busybox
    else
        refuse 'neither curl nor wget nor busybox is here; install one' 9
    fi
    case $fetcher$mirror in
    busyboxhttps*) refuse "busybox does not check whom it talks to; install curl or wget" 9 ;;
    esac
    [ -z "$netrc_file" ] || [ $fetcher = curl ] || refuse '--netrc-file needs curl' 9

    # Prints the SHA-256 of a file.
    sum_of() {
        if has sha256sum; then
            set -- "$(sha256sum <"$1")"
        elif has busybox; then
            set -- "$(busybox sha256sum <"$1")"
        elif has openssl; then
            set -- "$(openssl dgst -sha256 -r <"$1")"
        else
            refuse 'neither sha256sum nor busybox nor openssl is here, so that nothing can be checked; install one' 9
        fi
        printf '%s\n' "${1%% *}"
    }
    sum_of /dev/null >/dev/null || exit 9

    # wc may put blanks before it
    size_of() { printf '%s\n' $(($(wc -c <"$1"))); }

    lines() { awk 'END { print NR }' "$1"; }

    # Gets `URL` into a file, going on behind what it holds: `URL FILE SIZE`. An answer without end is cut off behind the
    # size; half blocks count for two, and bash has larger ones.
    get() (
        ulimit -f $(($3 / 512 + 64))
        case $fetcher in
        curl)
            # -g: an address in brackets is one
            curl -gfsS -C - --connect-timeout 30 --speed-limit 1 --speed-time 60 ${ca_file:+--cacert "$ca_file"} \
                ${netrc_file:+--netrc-file "$netrc_file"} -o "$2" "$1"
            ;;
        wget) wget -q -c -T 60 -t 1 ${ca_file:+--ca-certificate="$ca_file"} -O "$2" "$1" ;;
        # without -T: with it, Debian's busybox of 2023 ends by a segmentation fault
        busybox) if has wget; then wget -q -c -O "$2" "$1"; else busybox wget -q -c -O "$2" "$1"; fi ;;
        esac
    )

    # Prints the paths of files that are right in the tree, of lines as `mine` writes them. One process looks at all; a
    # program that cannot do that leaves each to one of its own.
    right() {
        awk -F"$tab" '{ print $3 "  " $5 }' "$1" >"$work/sums"
        (cd "$tree" && if has sha256sum; then sha256sum -c "$work/sums"; else busybox sha256sum -c "$work/sums"; fi) \
            2>/dev/null | awk 'sub(/: OK$/, "")' >"$work/summed"
        while IFS= read -r path; do
            [ -h "$tree/$path" ] || printf '%s\n' "$path"
        done <"$work/summed"
        without "$work/summed" "$1" | while IFS="$tab" read -r mode size sum url path; do
            if [ -f "$tree/$path" ] && [ ! -h "$tree/$path" ] && [ "$(sum_of "$tree/$path")" = "$sum" ]; then
                printf '%s\n' "$path"
            fi
        done
    }

    # Prints the lines of a second file whose paths are not in a first one.
    without() { awk -F"$tab" 'FILENAME == ARGV[1] { named[$0]; next } !($5 in named)' "$1" "$2"; }

    # Writes the lines of files that are not right in the tree, of those in a first file, to a second one. On a full disk
    # lines get lost, and some programs do not tell.
    look() {
        right "$1" >"$work/right"
        without "$work/right" "$1" >"$2"
        [ $(($(lines "$work/right") + $(lines "$2"))) -eq "$(lines "$1")" ] || refuse "cannot write to $root" 11
    }

    # Gets the many small files with one process for every so many; what is absent or wrong afterwards is fetched alone.
    # In a tree that has its name they get theirs one by one; one that is being made is looked at whole.
    AT_ONCE=200 SMALL=1048576
    get_small() (
        suffix=.part
        [ "$tree" != "$stage" ] || suffix=''
        # not by -v, which takes backslashes for its own
        mirror=$mirror tree=$tree suffix=$suffix small=$SMALL awk -F"$tab" '
            $2 > 0 && $2 < ENVIRON["small"] + 0 {
                file = ENVIRON["tree"] "/" $5 ENVIRON["suffix"]
                gsub(/[\\"]/, "\\\\&", file)
                printf "url = \"%s/%s\"\noutput = \"%s\"\n", ENVIRON["mirror"], $4, file
            }' "$work/absent" >"$work/small" || return 0
        # curl makes them for itself alone
        awk -F"$tab" 'sub(/\/[^\/]*$/, "", $5) { print $5 }' "$work/absent" | sort -u >"$work/directories"
        while IFS= read -r place; do
            mkdir -p "$tree/$place" || return 0
        done <"$work/directories"
        config=$work/config awk -v most=$((2 * AT_ONCE)) '
            NR % most == 1 { if (part) close(file); part++; file = ENVIRON["config"] "." part }
            { print >file }' "$work/small" || return 0
        # not before: of thousands of files the lists themselves are longer
        ulimit -f $((SMALL / 512 + 64))
        part=1
        while [ -s "$work/config.$part" ]; do
            curl -gfsS --connect-timeout 30 --speed-limit 1 --speed-time 60 ${ca_file:+--cacert "$ca_file"} \
                ${netrc_file:+--netrc-file "$netrc_file"} -K "$work/config.$part" 2>/dev/null || :
            part=$((part + 1))
        done
    )

    # Fetches one file: `URL SIZE SUM MODE TARGET`. A part that turns out wrong is fetched once more from its beginning.
    fetch() {
        part=$5.part
        for attempt in 1 2 3; do
            if [ -f "$part" ] && [ "$(size_of "$part")" -gt "$2" ]; then rm -f "$part"; fi
            if [ ! -f "$part" ] || [ "$(size_of "$part")" -ne "$2" ] || [ "$2" -eq 0 ]; then
                if [ "$2" -eq 0 ]; then : >"$part"; else get "$1" "$part" "$2"; fi || {
                    status=$?
                    # curl 22, 33: what is asked for is refused, perhaps because of where it should begin
                    case $status in 22 | 33 | 8) rm -f "$part" ;; esac
                    [ "$attempt" -lt 3 ] || refuse "$1 cannot be fetched (status $status)" 4
                    sleep "$attempt"
                    continue
                }
            fi
            if [ -f "$part" ] && [ "$(sum_of "$part")" = "$3" ]; then
                chmod "$4" "$part" && mv -f "$part" "$5" || refuse "cannot write $5" 11
                return
            fi
            rm -f "$part"
        done
        refuse "$1 is not the file that it should be; has the mirror taken another bundle? Fetch edge.sh again" 5
    }

    # Prints the host of the mirror's address, without scheme, port and path.
    address() {
        authority=${mirror#*://}
        authority=${authority%%/*}
        case $authority in *]) ;; *:*) authority=${authority%:*} ;; esac
        printf '%s\n' "$authority"
    }

    # Writes the lines of this machine: MODE, SIZE, SHA-256, the path in a URL, the path.
    mine() {
        files | awk -F"$tab" -v letter="$letter" 'index($1, letter) { print substr($0, length($1) + 2) }'
    }

    # Gets SHA256SUMS with its signatures first, and refuses what those whom this host trusts have not signed.
    check_signatures() {
        sums=$tree/SHA256SUMS
        awk -F"$tab" '$5 ~ /^SHA256SUMS(\.sig(\.[0-9a-f]*)?)?$/' "$work/files" >"$work/signed" ||
            refuse "cannot write to $root" 11
        look "$work/signed" "$work/absent"
        while IFS="$tab" read -r mode size sum url path; do
            fetch "$mirror/$url" "$size" "$sum" "$mode" "$tree/$path"
        done <"$work/absent"
        [ -s "$sums" ] || refuse 'the mirror has no SHA256SUMS' 5
        require_signed
        other=$(awk -F"$tab" '
            FILENAME == ARGV[1] { listed[$0]; next }
            $5 !~ /^SHA256SUMS(\.sig(\.[0-9a-f]*)?)?$/ && !(($3 "  " $5) in listed) { print $5; exit }' "$sums" "$work/files")
        [ -z "$other" ] || refuse "$other is another file than the signed SHA256SUMS lists; do not use this mirror before you know why" 5
    }

    # Takes a lock, or says why not in `reason`. It is a link, which is made at once with what it says: a process, and the
    # boot of this host that it belongs to; of two that find a dead one's and rename it, one is the first.
    take() {
        [ -h "$1" ] || [ -e "$1" ] || ! ln -s "$holding" "$1" 2>/dev/null || return 0
        reason='another run has just begun'
        if ! holder=$(readlink "$1"); then
            [ -e "$1" ] || [ ! -w "${1%/*}" ] || return 1
            reason="cannot make $1"
            return 1
        fi
        process=${holder#process.}
        process=${process%%.*}
        case $holder in
        *.*.*) living=${holder#*.*.} ;;
        *) living=$boot ;;
        esac
        if [ "$living" = "$boot" ] && kill -0 "$process" 2>/dev/null; then
            reason="another run is at it already (process $process; if that is something else, remove $1)"
            return 1
        fi
        mv -f "$1" "$1.$$" 2>/dev/null || return 1
        if [ "$(readlink "$1.$$")" != "$holder" ]; then
            mv -f "$1.$$" "$1"
            return 1
        fi
        rm -f "$1.$$"
        ln -s "$holding" "$1" 2>/dev/null
    }

    # Tells whether this machine gets the tool as well.
    brings_tool() { mine | awk -F"$tab" -v below="runtime/$machine/" 'index($5, below) == 1 { found = 1 } END { exit !found }'; }

    # without glibc nothing of it would run, whatever was fetched
    case $machine in
    x86_64) loader=/lib64/ld-linux-x86-64.so.2 ;;
    aarch64) loader=/lib/ld-linux-aarch64.so.1 ;;
    *) loader=/ ;;
    esac
    [ -e "$loader" ] || ! brings_tool ||
        refuse "this host has no glibc for $machine ($loader is missing), and the tool needs 2.17 or newer, not musl" 9

    mkdir -p "$root" || refuse "cannot make $root" 9
    final=$root/$name
    stage=$root/.$name.edge
    lock=$stage.lock work=$stage.work
    boot=$(cat /proc/sys/kernel/random/boot_id 2>/dev/null) || boot=''
    holding=process.$$.$boot
    take "$lock" || refuse "$reason" 9
    trap 'rm -rf "$work" "$lock"' EXIT
    trap 'exit 129' HUP
    trap 'exit 130' INT
    trap 'exit 143' TERM
    rm -rf "$work"
    mkdir "$work" || refuse "cannot make $work" 9

    # what runs for other bundles left when they were cut short; those that go on have their locks
    set +f
    for other in "$root"/.*-????????????.edge "$root"/.*-????????????.edge.lock "$root"/.*-????????????.edge.work; do
        other=${other%.lock}
        other=${other%.work}
        other_id=${other%.edge}
        case ${other_id##*-} in *[!0-9a-f]*) continue ;; esac
        if [ "$other" = "$stage" ] || ! take "$other.lock"; then continue; fi
        if [ -d "$other" ] && [ ! -h "$other" ]; then
            rm -rf "$other" && say "$other: removed, left by a run for another bundle"
        fi
        rm -rf "$other.work" "$other.lock"
    done
    set -f

    tree=$stage
    if [ -f "$final/bundle.json" ]; then
        tree=$final
    else
        # an empty one is nobody's
        rmdir "$final" 2>/dev/null || [ ! -e "$final" ] && [ ! -h "$final" ] || refuse "$final is no bundle; move it away" 9
        mkdir -p "$stage" || refuse "cannot make $stage" 9
    fi

    mine >"$work/files" || refuse "cannot write to $root" 11
    [ -s "$work/files" ] || refuse "the mirror holds only a part of this bundle, without all that $machine needs" 9
    keys=$(trusted_keys) || exit $?
    [ -z "$keys" ] || check_signatures
    # what is wrong or absent, and how much room it takes; not by %d, which has 32 bits in mawk
    look "$work/files" "$work/absent"
    count=$(lines "$work/files")
    bytes=$(awk -F"$tab" '{ bytes += $2 } END { printf "%.0f\n", bytes }' "$work/absent")
    # where df does not know, as without /proc, the disk tells
    free=$(df -Pk "$root" 2>&1 | awk 'NR == 2 && $4 ~ /^[0-9]+$/ { print $4 }')
    [ "$bytes" -eq 0 ] || [ -z "$free" ] || [ $((bytes / 1024)) -lt "$free" ] ||
        refuse "$((bytes / 1048576 + 1)) MiB are needed below $root, and $((free / 1024)) MiB are free" 11

    fetched=0 total=$(lines "$work/absent")
    if [ $fetcher = curl ] && [ "$total" -gt "$AT_ONCE" ]; then
        say "$total files, $((bytes / 1048576 + 1)) MiB: the small ones first"
        get_small
        if [ "$tree" = "$stage" ]; then
            look "$work/absent" "$work/left"
            mv -f "$work/left" "$work/absent"
            fetched=$((total - $(lines "$work/absent")))
        fi
    fi
    while IFS="$tab" read -r mode size sum url path; do
        fetched=$((fetched + 1))
        if [ "$size" -ge "$SMALL" ] || [ $((fetched % AT_ONCE)) -eq 0 ] || [ "$total" -le "$AT_ONCE" ]; then
            say "$fetched of $total: $path"
        fi
        case $path in
        */*) [ -d "$tree/${path%/*}" ] || mkdir -p "$tree/${path%/*}" || refuse "cannot make $tree/${path%/*}" 9 ;;
        esac
        fetch "$mirror/$url" "$size" "$sum" "$mode" "$tree/$path"
    done <"$work/absent"

    if [ "$tree" = "$stage" ]; then
        # what came together, perhaps in an earlier run, has the mode of new files
        awk -F"$tab" '$1 != "644"' "$work/files" >"$work/modes" || refuse "cannot write to $root" 11
        while IFS="$tab" read -r mode size sum url path; do
            chmod "$mode" "$stage/$path" || refuse "cannot write to $stage" 11
        done <"$work/modes"
    fi
    if [ -e "$trusted/policy.json" ]; then
        [ -x "$tree/bin/bundler" ] && [ -d "$tree/runtime/$machine" ] ||
            refuse "$trusted has a policy, and this bundle brings no tool for $machine that could follow it" 9
        "$tree/bin/bundler" trust admit "$tree" || exit $?
    fi
    if [ "$tree" = "$stage" ]; then
        printf '{"bundle": "%s", "choices": [{"only": [], "platforms": ["%s"], "roles": ["edge"]}], "format": 1}\n' \
            "$id" "$platform" >"$stage/subset.json.part" &&
            mv -f "$stage/subset.json.part" "$stage/subset.json" || refuse "cannot write to $stage" 11
        sync
        mv "$stage" "$final" || refuse "cannot make $final" 9
    fi

    if [ -x "$final/bin/bundler" ] && [ -d "$final/runtime/$machine" ]; then
        "$final/bin/bundler" activate "$name" --root "$root" || {
            status=$?
            "$final/bin/bundler" --version || refuse "the tool of this bundle does not run here, as is said above" 9
            exit $status
        }
        tool="'$root/current/bin/bundler'"
    else
        if [ "$(readlink "$root/current" 2>/dev/null)" != "$name" ]; then
            [ ! -e "$root/current" ] || [ -h "$root/current" ] || refuse "$root/current is no link; move it away" 9
            rm -f "$root/current" && ln -s "$name" "$root/current" || refuse "cannot make the link $root/current" 9
        fi
        tool=''
    fi
    sync
    say "$final: $count files verified, $total of them fetched"
    if [ -n "$join" ] && [ -n "$tool" ]; then
        set -- site join --mirror "$mirror" --root "$root" ${host:+--host "$host"} ${port:+--port "$port"} \
            ${code_file:+--code-file "$code_file"}
        # nobody else has to wait for that, and what a pipe brings is not the tool's
        rm -rf "$work" "$lock"
        trap - EXIT HUP INT TERM
        if [ -n "$code_file" ]; then exec "$root/current/bin/bundler" "$@" </dev/null; fi
        exec "$root/current/bin/bundler" "$@" </dev/tty
    fi
    if [ -n "$tool" ]; then
        say "next: $tool verify '$root/current'"
    elif [ "$machine" = armv7l ]; then
        say "note: the tool itself is not available for 32-bit arm; the files for edges are in $root/current"
    else
        say "note: this bundle brings no tool for $machine; the files for edges are in $root/current"
    fi
    if [ -n "$join" ]; then
        say 'by hand: install docker, put keadm and the KubeEdge files where the guide puts them, and join with'
        say "    keadm deprecated join --cloudcore-ipport=$(address):10000 --kubeedge-version=VERSION --token=TOKEN"
        say 'where TOKEN is what `bundler site token` prints on the master at that moment'
        refuse 'this host has not joined: there is no tool that could take the code' 9
    fi
}

files() {
    cat <<'FILES'
@FILES@
FILES
}

# nothing is run before the last line has arrived
edge "$@"
