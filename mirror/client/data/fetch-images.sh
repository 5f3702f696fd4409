#!/bin/sh
# Loads images from the mirror into the container engine of this host, without a registry. load.sh of the bundle says
# which images this machine lacks; their blobs are fetched, one image at a time, held to their digests, and loaded.
# Needs sh, tar, mktemp, sha256sum, and curl or wget. Arguments are those of load.sh.
set -fu
umask 077
LC_ALL=C
export LC_ALL
tab=$(printf '\t')
mirror=${MIRROR_URL:-@URL@}

usage() {
    cat <<'TEXT'
Usage: fetch-images.sh [--platform OS/ARCH[/VARIANT]] [--only GLOB]... [--containerd] [--list]

Fetch images from the mirror and load them into the Docker engine; images that it has already are left alone.

  --platform P   load the images for P instead of the engine's own platform
  --only GLOB    load only images with a name that matches (quote it: '*flannel*'); may be given several times
  --containerd   import into containerd's namespace k8s.io with ctr instead of loading into Docker
  --list         show what there is and load nothing
  --help         show this text

Environment: MIRROR_URL (another mirror), MIRROR_CA_FILE (PEM file of the authority of its certificate), TMPDIR (room
for the largest image). A name and a password, where the mirror asks for them, are taken from ~/.netrc.
Exit status: 0 all loaded, 1 an image failed or there was nothing to load, 2 wrong arguments.
TEXT
}

refuse() {
    printf 'fetch-images.sh: %s\n' "$1" >&2
    exit "${2:-1}"
}

# Nothing may read this script's stdin: it is this script.
ask() {
    # shellcheck disable=SC2086 # lists of words
    case $tool in
    curl) curl -fsS --netrc-optional @CURL_OPTIONS@ ${MIRROR_CA_FILE:+--cacert} ${MIRROR_CA_FILE:+"$MIRROR_CA_FILE"} \
        -C - -o "$2" "$mirror/$1" ;;
    wget) wget -q ${MIRROR_CA_FILE:+"--ca-certificate=$MIRROR_CA_FILE"} -c -O "$2" "$mirror/$1" ;;
    esac </dev/null
}

# Fetches a file; a line that is cut goes on where it was.
fetch() {
    for attempt in 1 2 3; do
        ask "$1" "$2" && return 0
        printf 'fetch-images.sh: %s/%s did not come (attempt %s of 3)\n' "$mirror" "$1" "$attempt" >&2
    done
    return 1
}

# Fetches a file of k8simage/ unless it is there, and gives it its name only if it has the digest.
fetch_checked() {
    [ ! -e "$directory/$1" ] || return 0
    # what came of another file is not the beginning of this one
    rm -f "$scratch/part"
    fetch "k8simage/$1" "$scratch/part" || return 1
    got=$(sha256sum <"$scratch/part" | cut -c1-64)
    if [ "$got" != "$2" ]; then
        rm -f "$scratch/part"
        printf 'fetch-images.sh: %s/k8simage/%s has sha256 %s, not %s\n' "$mirror" "$1" "$got" "$2" >&2
        return 1
    fi
    mv "$scratch/part" "$directory/$1"
}

fetch_listed() {
    digest=$(grep "^[0-9a-f]\{64\}  k8simage/$1\$" "$scratch/SHA256SUMS" | cut -c1-64)
    [ -n "$digest" ] || refuse "the bundle at $mirror has no k8simage/$1"
    fetch_checked "$1" "$digest" || refuse "$1 could not be fetched"
}

# Writes the lines of the table that load.sh has failed for: without any blob these are the images to be loaded.
write_lacking() {
    while IFS= read -r line; do
        case $line in '#'*) continue ;; esac
        its_platform=${line%%"$tab"*} names=${line#*"$tab"*"$tab"*"$tab"*"$tab"*"$tab"*"$tab"*"$tab"}
        if grep -q -F -x "${names%%[ $tab]*} ($its_platform)" "$scratch/failed"; then printf '%s\n' "$line"; fi
    done <"$directory/images.tsv" >"$scratch/lacking"
}

load_one() {
    [ "$layers" != - ] || layers=''
    result=0
    for blob in $manifest $image_id $layers; do
        fetch_checked "blobs/sha256/${blob#*:}" "${blob#*:}" || { result=1 && break; }
    done
    sed -n "${count}p" "$scratch/lacking" >"$directory/images.tsv"
    [ "$result" != 0 ] || sh "$directory/load.sh" "$@" </dev/null || result=1
    # what no later image needs makes room
    sed "1,${count}d" "$scratch/lacking" >"$scratch/later"
    for blob in $manifest $image_id $layers; do
        grep -q -F "$blob" "$scratch/later" || rm -f "$directory/blobs/sha256/${blob#*:}"
    done
    return "$result"
}

main() {
    for argument; do
        case $argument in -h | --help) usage && exit 0 ;; esac
    done
    for program in tar mktemp sha256sum; do
        command -v "$program" >/dev/null || refuse "$program is needed"
    done
    if command -v curl >/dev/null; then
        tool=curl
    else
        command -v wget >/dev/null || refuse 'curl or wget is needed'
        tool=wget
    fi
    scratch=$(mktemp -d "${TMPDIR:-/tmp}/fetch-images.XXXXXX") || refuse 'cannot make a temporary directory; set TMPDIR'
    trap 'rm -rf "$scratch"' EXIT
    trap 'exit 129' HUP
    trap 'exit 130' INT
    trap 'exit 143' TERM
    directory=$scratch/k8simage
    mkdir -p "$directory/blobs/sha256" || exit 1
    fetch SHA256SUMS "$scratch/SHA256SUMS" || refuse "no bundle can be fetched from $mirror"
    fetch_listed load.sh
    fetch_listed images.tsv

    # load.sh knows what this machine wants and has: it fails exactly on the images whose blobs it needs
    sh "$directory/load.sh" "$@" >"$scratch/said" 2>"$scratch/complaints" </dev/null
    code=$?
    grep -v ': FAILED$' "$scratch/said"
    sed -n 's/^\([^ ]* ([^ ,]*\), [0-9]* MiB): FAILED$/\1)/p' "$scratch/said" >"$scratch/failed"
    if [ ! -s "$scratch/failed" ]; then
        cat "$scratch/complaints" >&2
        exit "$code"
    fi
    write_lacking
    count=0 failed=''
    while IFS=$tab read -r its_platform image_id manifest _ _ _ _ names layers _; do
        count=$((count + 1))
        load_one "$@" || failed="$failed ${names%% *}"
    done <"$scratch/lacking"
    [ -z "$failed" ] || refuse "not loaded:$failed"
}

main "$@"
