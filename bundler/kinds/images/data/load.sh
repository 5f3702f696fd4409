#!/bin/sh
## A source: bundler/kinds/images/scripts.py joins it with what it includes, and leaves out lines like this one.
# Loads the images beside this script into the container engine of this host, one at a time, each with only its blobs.
# Needs sh, tar, mktemp, ln, rm, and docker (or ctr). Writes nothing beside itself: the directory may be read-only.
set -fu
umask 077
LC_ALL=C
export LC_ALL
tab=$(printf '\t')

usage() {
    cat <<'TEXT'
Usage: load.sh [--platform OS/ARCH[/VARIANT]] [--only GLOB]... [--containerd] [--list]

Load the images of this directory into the Docker engine; images that it has already are left alone.

  --platform P   load the images for P instead of the engine's own platform
  --only GLOB    load only images with a name that matches (quote it: '*flannel*'); may be given several times
  --containerd   import into containerd's namespace k8s.io with ctr instead of loading into Docker
  --list         show what there is and load nothing
  --help         show this text

Environment: DOCKER_HOST, CONTAINERD_ADDRESS and TMPDIR (for a few kilobytes) as everywhere.
Exit status: 0 all loaded, 1 an image failed or there was nothing to load, 2 wrong arguments.
TEXT
}

refuse() {
    printf 'load.sh: %s\n' "$1" >&2
    exit "${2:-1}"
}

platform='' only='' engine=docker list=''
while [ $# -gt 0 ]; do
    case $1 in
    --platform | --only)
        [ $# -gt 1 ] && [ -n "$2" ] || refuse "$1 needs a value; see load.sh --help" 2
        case $1 in
        --platform) platform=$2 ;;
        --only) only="$only $2" ;;
        esac
        shift
        ;;
    --platform=?*) platform=${1#*=} ;;
    --only=?*) only="$only ${1#*=}" ;;
    --containerd) engine=containerd ;;
    --list) list=yes ;;
    -h | --help) usage && exit 0 ;;
    *) refuse "unknown argument '$1'; see load.sh --help" 2 ;;
    esac
    shift
done

##include images_table.sh

# Reads the next chosen line of the table from stdin; the fields are those of images_table in bundler/model/layout.py.
## bundler/model/image/layout.py by now; a bundle keeps its bytes, so what travels keeps its words.
next_image() {
    while IFS=$tab read -r its_platform image_id manifest manifest_size manifest_type digest bytes names layers _; do
        case $its_platform in '#'* | '') continue ;; esac
        chosen "$names" || continue
        canonical "$its_platform"
        title="${names%% *} ($its_platform, $(((bytes + 1048575) / 1048576)) MiB)"
        return 0
    done
    return 1
}

# What the engine calls an image by one of its names, or nothing.
known_as() {
    case $engine/$1 in
    docker/*@*)
        docker inspect --type=image -f '{{.Id}}' "$image_id" 2>/dev/null ||
            docker inspect --type=image -f '{{.Id}}' "$manifest" 2>/dev/null
        ;;
    docker/*) docker inspect --type=image -f '{{.Id}}' "$1" 2>/dev/null ;;
    *)
        ctr -n k8s.io images ls "name==\"$1\"" 2>/dev/null | while read -r its_name _ its_digest _; do
            [ "$its_name" != "$1" ] || printf '%s\n' "$its_digest"
        done
        ;;
    esac </dev/null
}

# Tells whether the engine has the image under all its names. Engines that keep images in containerd know them by the
# manifest or the index, others by the config.
present() {
    for name in $names; do
        case $(known_as "$name") in
        "$image_id" | "$manifest" | "$digest") ;;
        *) return 1 ;;
        esac
    done
}

# Writes what makes the blobs of one image an archive: the index of an OCI layout and the manifest of a docker-archive.
describe() {
    tags='' descriptors='' layer_paths=''
    for name in $names; do
        case $name in *@*) ;; *) tags="$tags${tags:+,}\"$name\"" ;; esac
        descriptors="$descriptors${descriptors:+,}{\"mediaType\":\"$manifest_type\",\"digest\":\"$manifest\",\
\"size\":$manifest_size,\"annotations\":{\"io.containerd.image.name\":\"$name\",\
\"org.opencontainers.image.ref.name\":\"$name\"}}"
    done
    for layer in $layers; do
        layer_paths="$layer_paths${layer_paths:+,}\"blobs/sha256/${layer#*:}\""
    done
    printf '{"imageLayoutVersion":"1.0.0"}' >"$scratch/oci-layout" &&
        printf '{"schemaVersion":2,"manifests":[%s]}' "$descriptors" >"$scratch/index.json" &&
        printf '[{"Config":"blobs/sha256/%s","RepoTags":[%s],"Layers":[%s]}]' \
            "${image_id#*:}" "$tags" "$layer_paths" >"$scratch/manifest.json"
}

load() {
    [ "$layers" != - ] || layers=''
    files='oci-layout index.json manifest.json'
    for blob in $manifest $image_id $layers; do
        file=blobs/sha256/${blob#*:}
        case " $files " in *" $file "*) continue ;; esac
        files="$files $file"
        [ -r "$directory/$file" ] || { printf 'load.sh: %s is missing\n' "$directory/$file" >&2 && return 1; }
    done
    describe || return 1
    # shellcheck disable=SC2086 # a list of words
    { tar -C "$scratch" -cf - $files || : >"$scratch/broken"; } |
        if [ "$engine" = docker ]; then docker load -q; else ctr -n k8s.io images import $foreign -; fi >/dev/null &&
        [ ! -e "$scratch/broken" ] && present
}

if [ -n "$list" ]; then
    canonical "$platform"
    wanted=$canonical
    while next_image; do
        case $wanted in '' | "$canonical") printf '%s\t%s\t%s\n' "$its_platform" "$bytes" "$names" ;; esac
    done <"$table"
    exit 0
fi

# The platforms to take an image for, the best first. An arm engine does not tell its variant; the kernel does.
foreign=''
if [ -n "$platform" ]; then
    canonical "$platform"
    platforms=$canonical
    # unpacking is for the platform of the host
    foreign='--all-platforms --no-unpack'
else
    if [ "$engine" = docker ]; then
        platform=$(docker version -f '{{.Server.Os}}/{{.Server.Arch}}' </dev/null) ||
            refuse 'the Docker engine does not answer; is it running, and may this user talk to it?'
    else
        ctr version </dev/null >/dev/null ||
            refuse 'containerd does not answer; is it running, and may this user talk to it?'
        case $(uname -m) in
        x86_64) platform=linux/amd64 ;;
        aarch64) platform=linux/arm64 ;;
        arm*) platform=linux/arm ;;
        i?86) platform=linux/386 ;;
        *) platform=linux/$(uname -m) ;;
        esac
    fi
    case $platform/$(uname -m) in
    linux/arm/armv5*) platforms=linux/arm/v5 ;;
    linux/arm/armv6*) platforms='linux/arm/v6 linux/arm/v5' ;;
    linux/arm/*) platforms='linux/arm linux/arm/v6 linux/arm/v5' ;;
    *) platforms=$platform ;;
    esac
fi

scratch=$(mktemp -d "${TMPDIR:-/tmp}/load.XXXXXX") || refuse 'cannot make a temporary directory; set TMPDIR'
trap 'rm -rf "$scratch"' EXIT
trap 'exit 129' HUP
trap 'exit 130' INT
trap 'exit 143' TERM
ln -s "$directory/blobs" "$scratch/blobs" || refuse "cannot make a link in $scratch; set TMPDIR"

handled='|' failed='' offered='' seen=''
for wanted in $platforms; do
    while next_image; do
        seen=yes
        case " $offered " in *" $its_platform "*) ;; *) offered="$offered $its_platform" ;; esac
        [ "$canonical" = "$wanted" ] || continue
        case $handled in *"|$names|"*) continue ;; esac
        handled="$handled$names|"
        printf '%s: ' "$title"
        if present; then
            printf 'present\n'
        elif load; then
            printf 'loaded\n'
        else
            printf 'FAILED\n'
            failed="$failed ${names%% *}"
        fi
        rm -f "$scratch/broken"
    done <"$table"
done

[ -n "$seen" ] || refuse 'no image matches; load.sh --list shows all'
[ "$handled" != '|' ] || refuse "there is nothing for $platform, only for:$offered"
noted='|'
while next_image; do
    case $handled$noted in *"|$names|"*) continue ;; esac
    noted="$noted$names|"
    printf '%s: not there for %s, skipped\n' "${names%% *}" "$platform"
done <"$table"
[ -z "$failed" ] || refuse "not loaded:$failed"
