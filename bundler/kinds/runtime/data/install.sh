#!/bin/sh
# Looks whether this bundle can be used on this host and whether it arrived whole, and makes its commands known.
# Needs sh, awk and df; sha256sum, busybox or openssl to check, openssl for signatures; root to link into /usr/local or to
# install the service. It does without /proc, and but for signatures without /dev. Whoever does not trust this script either
# checks SHA256SUMS by hand first: docs/carry.md.
set -fu
umask 022
LC_ALL=C
export LC_ALL
unset CDPATH

usage() {
    cat <<'TEXT'
Usage: sh install.sh [--plan] [--prefix DIR] [--key PEM] [--mirror] [-- OPTIONS OF mirror serve]
       sh install.sh --uninstall [--purge] [--prefix DIR]

Check this host, who has signed this bundle and every file of it, then say what to do next.

  --plan         show what the host has and what there is to do, from bundle.json alone; change nothing
  --prefix DIR   link bundler and mirror into DIR/bin, such as /usr/local; never over somebody else's command
  --key PEM      a public key, one of which has to have signed, instead of those of /etc/bundler/trusted.d (repeatable)
  --allow-unsigned   take a bundle that nobody whom this host trusts has signed
  --allow-older  take an older release than the newest one that this host has had
  --mirror       install the mirror as a service that serves this bundle; what follows -- goes to `mirror serve`
  --uninstall    take links (of --prefix, or else /usr/local) and service away again
  --purge        and every file that bundle.json lists, but nothing else
  --help         show this text

Running it again does no harm. Exit status: 0 done, 1 something failed, 2 wrong arguments, 5 the bundle is damaged or not
signed by those whom this host trusts, 9 this host cannot use it, 11 the disk is full.
TEXT
}

say() { printf '%s\n' "$*"; }

refuse() {
    printf 'install.sh: %s\n' "$1" >&2
    exit "${2:-1}"
}

unit=/etc/systemd/system/kubeedge-mirror.service
newline='
'
plan='' prefix='' mirror='' uninstall='' purge='' named='' unsigned='' older=''
while [ $# -gt 0 ]; do
    case $1 in
    --plan) plan=yes ;;
    --mirror) mirror=yes ;;
    --uninstall) uninstall=yes ;;
    --purge) purge=yes ;;
    --prefix)
        [ $# -gt 1 ] && [ -n "$2" ] || refuse '--prefix needs a directory; see install.sh --help' 2
        prefix=$2
        shift
        ;;
    --prefix=?*) prefix=${1#*=} ;;
    --key)
        [ $# -gt 1 ] && [ -f "$2" ] || refuse '--key needs a file with a public key; see install.sh --help' 2
        named=$named$2$newline
        shift
        ;;
    --key=?*)
        [ -f "${1#*=}" ] || refuse '--key needs a file with a public key; see install.sh --help' 2
        named=$named${1#*=}$newline
        ;;
    --allow-unsigned) unsigned=yes ;;
    --allow-older) older=yes ;;
    -h | --help) usage && exit 0 ;;
    --) shift && break ;;
    *) refuse "unknown argument '$1'; see install.sh --help" 2 ;;
    esac
    shift
done
[ $# -eq 0 ] || [ -n "$mirror" ] || refuse 'options of mirror serve need --mirror' 2
[ -z "$uninstall" ] || [ -z "$mirror$plan" ] || refuse '--uninstall goes with --purge and --prefix alone' 2
[ -z "$purge" ] || [ -n "$uninstall" ] || refuse '--purge needs --uninstall' 2

case $0 in */*) directory=${0%/*} ;; *) directory=. ;; esac
here=$(cd -- "${directory:-/}" && pwd -P) || refuse "cannot enter $directory"
[ -f "$here/bundle.json" ] || refuse "$here holds no bundle.json: run the install.sh that lies in an unpacked bundle" 9

# Beside other bundles, what is linked follows `current`, and the mirror serves all of them.
root=$here base=$here
above=${here%/*}
if [ -h "${above:-/}/current" ] && [ -f "${above:-/}/current/bundle.json" ] && [ ! -f "${above:-/}/bundle.json" ]; then
    root=${above:-/} base=${above%/}/current
elif [ -h "$here/current" ] && [ -f "$here/current/bundle.json" ]; then
    base=$here/current
fi
sums=$here/SHA256SUMS

has() { [ -n "$(command -v "$1")" ]; }

# Has everything that was written reach the disk.
to_disk() { ! has sync || sync; }

# Prints `BYTES FILES` of the listed files, of those below a path alone where one is given: bundle.json has one key a line.
listed() {
    awk -v below="${1-}" '
        /^      "path": / { path = $0; sub(/^      "path": "/, "", path) }
        /^      "size": / {
            size = $0
            gsub(/[^0-9]/, "", size)
            if (substr(path, 1, length(below)) == below) { bytes += size; files++ }
        }
        END { printf "%.0f %d\n", bytes, files }' "$here/bundle.json"
}

mebibytes() { say $((($1 + 1048575) / 1048576)); }

# Prints the nearest directory that exists at a path or above it.
existing() {
    at=$1
    while [ ! -d "$at" ] && [ "$at" != / ]; do
        at=${at%/*}
        [ -n "$at" ] || at=/
    done
    say "$at"
}

# Prints `FREE_KIB MOUNT` of the file system below a directory; nothing where df does not know, as without /proc.
room() { df -Pk "$(existing "$1")" 2>&1 | awk 'NR == 2 && $4 ~ /^[0-9]+$/ { print $4, $6 }'; }

machine=$(uname -m)
case $machine in arm64) machine=aarch64 ;; armv8l) machine=armv7l ;; esac

# Says why the tool cannot run here; nothing when it can.
unfit() {
    if [ ! -d "$here/runtime/$machine" ]; then
        there=''
        for place in x86_64 aarch64 armv7l; do
            [ ! -d "$here/runtime/$place" ] || there="$there $place"
        done
        say "this host is $machine, and the bundle brings its tool for:${there:- nothing}"
        return
    fi
    glibc=''
    ! has getconf || glibc=$(getconf GNU_LIBC_VERSION 2>&1) || glibc=''
    if [ -z "$glibc" ]; then
        # ldd is a script of glibc; that of musl is its loader
        glibc=$(ldd --version 2>&1 | awk 'NR == 1 && /GNU|GLIBC/ { print "glibc", $NF } NR == 1 && /musl/ { print "musl" }')
    fi
    case $glibc in
    glibc*)
        version=${glibc#glibc }
        minor=${version#*.}
        minor=${minor%%[!0-9]*}
        major=${version%%.*}
        [ "$major" -gt 2 ] || { [ "$major" -eq 2 ] && [ "${minor:-0}" -ge 17 ]; } ||
            say "this host has glibc $version, and the tool needs 2.17 or newer"
        ;;
    *)
        loader=''
        for file in /lib64/ld-linux-x86-64.so.2 /lib/ld-linux-aarch64.so.1 /lib/ld-linux-armhf.so.3; do
            [ ! -e "$file" ] || loader=$file
        done
        [ -n "$loader" ] || say "this host has no glibc (musl, or busybox alone), and the tool needs 2.17 or newer"
        ;;
    esac
}

# Checks sums that are read from stdin, relative to the bundle; prints the paths that are missing or other than listed.
differing() {
    if has sha256sum; then
        summing=sha256sum
    elif has busybox; then
        summing='busybox sha256sum'
    elif has openssl; then
        summing='openssl dgst -sha256 -r'
    else
        refuse 'neither sha256sum nor busybox nor openssl is here, so that nothing can be checked; install one' 9
    fi
    while IFS= read -r line || [ -n "$line" ]; do
        want=${line%% *} path=${line#*  }
        if [ ! -e "$here/$path" ] && [ ! -h "$here/$path" ] && [ -f "$here/subset.json" ]; then
            # perhaps left out: bundler knows, and is asked once its own files have been checked
            continue
        fi
        if [ ! -f "$here/$path" ] || [ -h "$here/$path" ]; then
            say "$path"
            continue
        fi
        # shellcheck disable=SC2086 # a program and its arguments
        got=$($summing <"$here/$path")
        [ "${got%% *}" = "$want" ] || say "$path"
    done
}

@SIGNATURES@

# Refuses a bundle that too few of those whom this host trusts have signed.
check_signatures() {
    keys=$(trusted_keys) || exit $?
    if [ -z "$keys" ]; then
        set +f
        for file in "$here"/SHA256SUMS.sig*; do
            [ ! -f "$file" ] || say "note: ${file##*/} is there; no key is trusted on this host, and it was not checked"
        done
        set -f
        return
    fi
    if [ -n "$unsigned" ]; then
        say 'note: signatures are not asked for (--allow-unsigned)'
        return
    fi
    require_signed
}

# Asks of this bundle what bundler unpack asks of what it brings in: its name, and that it is no older release.
admit() {
    [ -n "$named" ] || [ -d "$trusted" ] || return 0
    set -- "$here"
    while IFS= read -r key; do
        [ -z "$key" ] || set -- "$@" --key "$key"
    done <<TEXT
$named
TEXT
    [ -z "$unsigned" ] || set -- "$@" --allow-unsigned
    [ -z "$older" ] || set -- "$@" --allow-older
    "$here/bin/bundler" trust admit "$@"
}

# Tells whether this is a delta, and all of these paths are only missing: its archive leaves them to bundles that are there.
lacks_a_base() {
    awk '/^  "base": \[/ { delta = 1 } END { exit !delta }' "$here/bundle.json" || return 1
    printf '%s\n' "$1" | while IFS= read -r path; do
        if [ -e "$here/$path" ] || [ -h "$here/$path" ]; then exit 1; fi
    done
}

verify() {
    [ -f "$here/SHA256SUMS" ] || refuse "$here/SHA256SUMS is missing: the bundle did not arrive whole" 5
    check_signatures
    count=$(awk 'END { print NR }' "$here/SHA256SUMS")
    [ "$count" -gt 0 ] || refuse "$here/SHA256SUMS is empty: the bundle did not arrive whole" 5
    # shellcheck disable=SC2046 # two words
    set -- $(listed)
    # bundle.json lists itself not, and a list that is cut short says nothing of the rest
    [ "$count" -eq $(($2 + 1)) ] ||
        refuse "$here/SHA256SUMS has $count lines, and bundle.json lists $2 files: one of them did not arrive whole" 5
    printf 'checking %s files ... ' "$count"
    bad=$(differing <"$here/SHA256SUMS") || exit 9
    if [ -n "$bad" ]; then
        printf 'FAILED\n'
        if lacks_a_base "$bad"; then
            refuse "this is a delta without what its base has: bundler unpack ARCHIVE --root DIR makes it whole where that is" 5
        fi
        printf '%s\n' "$bad" | awk 'NR <= 20 { print "  damaged or missing: " $0 } END { if (NR > 20) print "  and " NR - 20 " more" }'
        refuse 'the bundle is damaged; copy it again' 5
    fi
    printf 'all intact\n'
}

# Tells whether the mirror's service serves this root, or runs from it; a unit has some characters of a path otherwise.
serves_this() {
    [ -r "$unit" ] || return 1
    ROOT=$root awk '
        BEGIN {
            split("bin current runtime", below, " ")
            for (i = 1; i <= length(ENVIRON["ROOT"]); i++) {
                character = substr(ENVIRON["ROOT"], i, 1)
                if (character == "%" || character == "$") character = character character
                if (character == "\\" || character == "\"") character = "\\" character
                root = root character
            }
        }
        !/^ExecStart=/ { next }
        index($0 " ", " --root " root " ") || index($0, " --root \"" root "\"") { found = 1 }
        {
            sub(/^ExecStart="?/, "")
            for (i in below) if (index($0, root "/" below[i] "/") == 1) found = 1
        }
        END { exit !found }' "$unit"
}

# Tells whether a listed path can only be the bundle's: a link above it, or `..`, would lead to files of others.
inside() {
    case /$1/ in */../*) return 1 ;; esac
    step=$here below=$1
    while [ "$below" != "${below#*/}" ]; do
        step=$step/${below%%/*} below=${below#*/}
        [ ! -h "$step" ] || return 1
    done
}

# Prints a text as one word of a command line.
quoted() {
    rest=$1 word=''
    while [ "$rest" != "${rest#*\'}" ]; do
        word=$word${rest%%\'*}"'\\''" rest=${rest#*\'}
    done
    say "'$word$rest'"
}

# Tells whether a link is one that this script has made, for whichever bundle of this root.
ours() {
    [ -h "$1" ] || return 1
    target=$(readlink "$1")
    case $target in
    "$root/bin/$2" | "$root/current/bin/$2" | "$here/bin/$2") return 0 ;;
    esac
    return 1
}

plan_link() {
    file=$prefix/bin/$1
    if ours "$file" "$1"; then
        if [ "$(readlink "$file")" = "$base/bin/$1" ]; then say "present"; else say "replace"; fi
    elif [ -e "$file" ] || [ -h "$file" ]; then
        say "foreign"
    else
        say "make"
    fi
}

link() {
    file=$prefix/bin/$1
    case $(plan_link "$1") in
    present) say "$file: present" && return 0 ;;
    foreign) refuse "$file is somebody else's (bundler is also a command of Ruby); choose another --prefix" 9 ;;
    esac
    mkdir -p "$prefix/bin" || refuse "cannot make $prefix/bin" 9
    # replaced in one step, so that the command is there at every moment; what a run that was cut short left is replaced
    beside=$prefix/bin/.$1.install
    rm -f "$beside" && ln -s "$base/bin/$1" "$beside" && mv -f "$beside" "$file" || refuse "cannot make the link $file" 9
    say "$file: linked"
}

absolute() {
    case $1 in /*) say "$1" ;; *) say "$(pwd -P)/$1" ;; esac
}
[ -z "$prefix" ] || prefix=$(absolute "$prefix")

if [ -n "$plan" ]; then
    told=$(listed) || refuse "cannot read $here/bundle.json"
    # shellcheck disable=SC2086 # two words
    set -- $told
    say "bundle: $here, $2 files, $(mebibytes "$1") MiB"
    reason=$(unfit)
    say "host: $machine${reason:+: $reason}"
    say ''
    say 'what each file system needs, beside what is there already:'
    {
        say "0|$here|the bundle itself: it is here"
        # shellcheck disable=SC2046 # two words
        set -- $(listed k8simage/)
        [ "$2" -eq 0 ] || say "$1|/var/lib/docker|its images in an engine: at least this much, unpacked about three times"
        # shellcheck disable=SC2046 # two words
        set -- $(listed yum/)
        [ "$2" -eq 0 ] || say "$1|/usr|its packages when they are installed: at least this much"
        [ -z "$prefix" ] || say "8192|$prefix|two links"
        [ -z "$mirror" ] || say "8192|/etc/systemd/system|the unit of the mirror"
    } | while IFS='|' read -r bytes place what; do
        # shellcheck disable=SC2046 # two words
        set -- $(room "$place")
        if [ $# -lt 2 ]; then
            say "  ?: $(mebibytes "$bytes") MiB, and df does not tell how much is free, for $place, $what"
            continue
        fi
        note=''
        [ $((bytes / 1024)) -le "$1" ] || note='  NOT ENOUGH ROOM'
        say "  $2: $(mebibytes "$bytes") MiB of $(($1 / 1024)) MiB free, for $place, $what$note"
    done
    say ''
    keys=$(trusted_keys) || exit $?
    [ -z "$keys" ] || say "to do: check that SHA256SUMS is signed by $(printf '%s\n' "$keys" | awk 'END { print NR }') keys, or as many as the policy says"
    say 'to do: check every file against SHA256SUMS'
    if [ -n "$prefix" ]; then
        for name in bundler mirror; do
            case $(plan_link "$name") in
            present) say "to do: nothing for $prefix/bin/$name, it is linked" ;;
            foreign) say "to do: $prefix/bin/$name is somebody else's; choose another --prefix" ;;
            *) say "to do: link $prefix/bin/$name to $base/bin/$name" ;;
            esac
        done
    fi
    [ -z "$mirror" ] || say "to do: $(quoted "$base/bin/mirror") service install -- --root $(quoted "$root")"
    exit 0
fi

if [ -n "$uninstall" ]; then
    : "${prefix:=/usr/local}"
    if [ -x "$base/bin/mirror" ] && serves_this; then
        "$base/bin/mirror" service remove || refuse 'the service of the mirror cannot be removed; nothing else was changed'
    fi
    for name in bundler mirror; do
        if ours "$prefix/bin/$name" "$name"; then
            rm -f "$prefix/bin/$name" || refuse "cannot remove $prefix/bin/$name" 9
            say "$prefix/bin/$name: removed"
        fi
        ! ours "$prefix/bin/.$name.install" "$name" || rm -f "$prefix/bin/.$name.install"
    done
    if [ -n "$purge" ]; then
        if [ "$root" != "$here" ] && [ "$(cd -- "$root/current" && pwd -P)" = "$here" ]; then
            refuse "$here is the active bundle: activate another one, or remove it with bundler remove --deactivate" 9
        fi
        [ -f "$here/SHA256SUMS" ] || refuse "$here/SHA256SUMS is missing, so that nothing tells what is the bundle's" 5
        # this script and the list go last, so that a run that is cut short can be repeated
        scratch=$(mktemp "${TMPDIR:-/tmp}/install.XXXXXX") || refuse 'cannot make a temporary file; set TMPDIR'
        trap 'rm -f "$scratch"' EXIT
        trap 'exit 130' INT
        trap 'exit 143' HUP TERM
        awk '{ sub(/^[0-9a-f]*  /, ""); print }' "$here/SHA256SUMS" >"$scratch" || refuse 'cannot write to a temporary file' 11
        while IFS= read -r path; do
            case $path in install.sh | bundle.json | SHA256SUMS) continue ;; esac
            ! inside "$path" || rm -f -- "$here/$path"
        done <"$scratch"
        # the deepest first; what holds somebody's files stays
        awk -F/ '{ path = ""; for (i = 1; i < NF; i++) { path = path (i > 1 ? "/" : "") $i; print i "/" path } }' "$scratch" |
            sort -u | sort -rn | while IFS= read -r path; do
            ! inside "${path#*/}" || left=$(rmdir -- "$here/${path#*/}" 2>&1) || :
        done
        set +f
        rm -f -- "$here/subset.json" "$here/SHA256SUMS.sig"* "$here/install.sh" "$here/bundle.json" "$here/SHA256SUMS"
        set -f
        # a root that is a bundle itself stays, and without any bundle what bundler wrote down of them goes
        if [ "$root" = "$here" ] && [ ! -f "${above:-/}/.bundles.json" ]; then
            rm -f -- "$here/.bundles.json"
        else
            left=$(rmdir -- "$here" 2>&1) || :
            [ "$(ls -A "${above:-/}")" != .bundles.json ] || rm -f -- "${above:-/}/.bundles.json"
        fi
        say "$here: every file of the bundle is removed"
    fi
    exit 0
fi

reason=$(unfit)
[ -z "$reason" ] || refuse "$reason; load.sh and push.sh in k8simage need no tool" 9
verify
version=$("$here/bin/bundler" --version 2>&1) || {
    case $version in
    *denied*) refuse "$here/bin/bundler may not be run: is the file system mounted noexec? Unpack elsewhere ($version)" 9 ;;
    esac
    refuse "$here/bin/bundler does not run here: $version" 9
}
say "$version runs on this host"
admit || exit $?
# what links and service will lead to stays after a power cut
to_disk
if [ -f "$here/subset.json" ]; then
    "$here/bin/bundler" verify "$here" || exit $?
fi
if [ -n "$prefix" ]; then
    link bundler
    link mirror
fi
if [ -n "$mirror" ]; then
    "$base/bin/mirror" service install -- --root "$root" "$@" || exit $?
fi

[ -z "$prefix" ] || to_disk

command=$base/bin
[ -z "$prefix" ] || command=$prefix/bin
say ''
say 'next:'
[ -n "$mirror" ] || say "  sh $(quoted "$here/install.sh") --mirror        serve this bundle by HTTP and FTP, now and after every boot"
say "  $(quoted "$command/bundler") load-images --root $(quoted "$base")        its images into the engine of this host"
say "  $(quoted "$command/bundler") push-images --root $(quoted "$base") --registry HOST        its images into a registry"
