#!/bin/sh
## A source: bundler/kinds/images/scripts.py joins it with what it includes, and leaves out lines like this one.
# Pushes the images beside this script to a registry through the Docker engine of this host, where bundler cannot run.
# Needs sh, tar, mktemp, ln, rm and docker, after a `docker login`; and curl to create projects of Harbor.
set -fu
umask 077
LC_ALL=C
export LC_ALL
tab=$(printf '\t')

usage() {
    cat <<'TEXT'
Usage: push.sh [--only GLOB]... [--platform OS/ARCH[/VARIANT]] [--dry-run] REGISTRY [PROJECT]

Load the images of this directory into the Docker engine, as load.sh does, and push them to REGISTRY (HOST[:PORT]):
host/path:tag becomes REGISTRY/path:tag, with one segment REGISTRY/library/path:tag. With PROJECT everything goes below
it by its last segment. Run `docker login REGISTRY` first. Names of the registry are gone from the engine afterwards.
Docker cannot push images that are known by digest alone: they are told, and `bundler push-images` can.

  --only GLOB    only images with a name that matches (quote it: '*flannel*'); may be given several times
  --platform P   images for P instead of the engine's own platform
  --dry-run      show sources and targets and do nothing; without --platform for all platforms
  --help         show this text

Environment: HARBOR_USER and HARBOR_PASSWORD create Harbor's missing projects through curl; HARBOR_URL (default
https://REGISTRY), HARBOR_PUBLIC (true, the default, or false), HARBOR_CA_FILE. DOCKER_HOST, TMPDIR as everywhere.
Exit status: 0 all pushed, 1 something failed, 2 wrong arguments.
TEXT
}

refuse() {
    printf 'push.sh: %s\n' "$1" >&2
    exit "${2:-1}"
}

# kept from what is run here: nobody but curl needs it
harbor_user=${HARBOR_USER-} harbor_password=${HARBOR_PASSWORD-}
unset HARBOR_USER HARBOR_PASSWORD

registry='' project='' platform='' only='' dry=''
while [ $# -gt 0 ]; do
    case $1 in
    --platform | --only)
        [ $# -gt 1 ] && [ -n "$2" ] || refuse "$1 needs a value; see push.sh --help" 2
        case $1 in
        --platform) platform=$2 ;;
        --only) only="$only $2" ;;
        esac
        shift
        ;;
    --platform=?*) platform=${1#*=} ;;
    --only=?*) only="$only ${1#*=}" ;;
    --dry-run) dry=yes ;;
    -h | --help) usage && exit 0 ;;
    -*) refuse "unknown argument '$1'; see push.sh --help" 2 ;;
    *)
        if [ -z "$registry" ] && [ -n "$1" ]; then
            registry=$1
        elif [ -z "$project" ] && [ -n "$1" ]; then
            project=$1
        else
            refuse "unexpected argument '$1'; see push.sh --help" 2
        fi
        ;;
    esac
    shift
done
[ -n "$registry" ] || refuse 'REGISTRY is missing; see push.sh --help' 2
case $registry in
*/* | *[!][A-Za-z0-9.:-]*) refuse "'$registry' is not HOST or HOST:PORT" 2 ;;
*.* | *:* | localhost) ;;
*) refuse "docker takes '$registry' for a name on Docker Hub; write $registry:443, or $registry:80 for plain HTTP, here and for docker login" 2 ;;
esac
case $project in
'') ;;
*[!a-z0-9._-]* | [._-]* | *[._-] | *[._-][._-]*)
    refuse "'$project' cannot be a project: lower-case words joined by one . _ or -" 2
    ;;
esac

##include images_table.sh

# Reads the next wanted line of the table from stdin; the fields are those of images_table in bundler/model/layout.py.
## bundler/model/image/layout.py by now; a bundle keeps its bytes, so what travels keeps its words.
next_image() {
    while IFS=$tab read -r its_platform image_id manifest _ _ digest _ names _; do
        case $its_platform in '#'* | '') continue ;; esac
        chosen "$names" || continue
        canonical "$its_platform"
        case $wanted in '' | "$canonical") return 0 ;; esac
    done
    return 1
}

# The name on the site, registry left out: the rules of bundler/model/site_name.py.
## bundler/model/image/site_name.py by now; a bundle keeps its bytes, so what travels keeps its words.
site_name() {
    target=${1#*/}
    if [ -n "$project" ]; then
        target=$project/${target##*/}
    else
        case $target in */*) ;; *) target=library/$target ;; esac
    fi
}

canonical "$platform"
wanted=$canonical

# Every source and its target once, and nothing is sent where two images meet on one name.
plan='' projects='' conflicts='' newline='
'
while next_image; do
    for name in $names; do
        site_name "$name"
        case $newline$plan in
        *"$newline$name $target $digest$newline"*) continue ;;
        *" $target $digest$newline"*) ;;
        *" $target "*) conflicts="$conflicts $target" ;;
        esac
        plan="$plan$name $target $digest$newline"
        case " $projects " in *" ${target%%/*} "*) ;; *) projects="$projects ${target%%/*}" ;; esac
    done
done <"$table"
[ -n "$plan" ] || refuse "no image matches; $directory/load.sh --list shows all"
if [ -n "$conflicts" ]; then
    printf '%s' "$plan" | while read -r name target digest; do
        case "$conflicts " in *" $target "*) printf '  %s would be %s (%s)\n' "$target" "$name" "$digest" ;; esac
    done >&2
    refuse 'different images meet on one name, nothing was sent; leave some out with --only'
fi
printf '%s' "$plan" | while read -r name target _; do
    case $target in *@*) printf 'push.sh: %s is known by its digest alone, which docker cannot push\n' "$name" >&2 ;; esac
done
case $plan in
*@*) printf 'push.sh: push such images with `bundler push-images --via registry`, which keeps their digests\n' >&2 ;;
esac

if [ -n "$dry" ]; then
    printf '%s' "$plan" | while read -r name target _; do
        printf '%s\t%s/%s\n' "$name" "$registry" "$target"
    done
    exit 0
fi

# A text between the quotes of a file that curl reads as its configuration.
quoted() {
    printf '%s' "$1" | sed 's/[\\"]/\\&/g'
}

# Asks Harbor; what it answers ends with its status in a line of its own.
harbor() {
    printf 'user = "%s:%s"\n' "$(quoted "$harbor_user")" "$(quoted "$harbor_password")" |
        curl --config - --silent --show-error --max-time 60 ${HARBOR_CA_FILE:+--cacert "$HARBOR_CA_FILE"} \
            --write-out '\n%{http_code}' "$@"
}

create_project() {
    projects_url=${HARBOR_URL:-https://$registry}/api/v2.0/projects
    # whoever may create none may still push into one that is there
    answer=$(harbor --head "$projects_url?project_name=$1") || return 1
    [ "${answer##*"$newline"}" = 200 ] || answer=$(
        harbor --header 'Content-Type: application/json' \
            --data "{\"project_name\":\"$1\",\"metadata\":{\"public\":\"${HARBOR_PUBLIC:-true}\"}}" "$projects_url"
    ) || return 1
    case ${answer##*"$newline"} in
    201) printf 'project %s: created\n' "$1" ;;
    200 | 409) printf 'project %s: present\n' "$1" ;;
    *)
        printf 'push.sh: project %s: the registry answered %s\n' "$1" "$answer" >&2
        return 1
        ;;
    esac
}

failed=''
if [ -n "$harbor_user" ]; then
    case $harbor_user$harbor_password in
    *"$newline"*) refuse 'HARBOR_USER and HARBOR_PASSWORD hold one line each' 2 ;;
    esac
    case ${HARBOR_PUBLIC:-true} in true | false) ;; *) refuse 'HARBOR_PUBLIC is true or false' 2 ;; esac
    command -v curl >/dev/null || refuse 'creating projects needs curl; create them in Harbor and unset HARBOR_USER'
    for one in $projects; do
        create_project "$one" || failed="$failed project:$one"
    done
fi

# What the engine calls an image: by its config, or by a manifest where it keeps images in containerd.
known_as() {
    for known in "$image_id" "$manifest" "$digest"; do
        own=$(docker inspect --type=image -f '{{.Id}}' "$known" 2>/dev/null </dev/null) && return 0
    done
    return 1
}

# Whatever had a name in the engine before it was lent for a push has it again.
give_back() {
    [ -n "$lent" ] || return 0
    docker rmi --no-prune "$lent" >/dev/null 2>&1 </dev/null
    [ -z "$owner" ] || docker tag "$owner" "$lent" </dev/null
    lent=''
}

push_as() {
    owner=$(docker inspect --type=image -f '{{.Id}}' "$1" 2>/dev/null </dev/null) || owner=''
    [ "$owner" = "$own" ] || lent=$1
    docker tag "$known" "$1" </dev/null && docker push "$1" </dev/null >&2
    pushed=$?
    give_back
    return $pushed
}

push_all() {
    for name in $names; do
        site_name "$name"
        case $target in *@*) false ;; *) push_as "$registry/$target" ;; esac
        if [ $? = 0 ]; then
            printf '%s: pushed as %s/%s\n' "$name" "$registry" "$target"
        else
            printf '%s: FAILED\n' "$name"
            failed="$failed $name"
        fi
    done
}

set --
for glob in $only; do
    set -- "$@" --only "$glob"
done
[ -z "$platform" ] || set -- "$@" --platform "$platform"
scratch=$(mktemp -d "${TMPDIR:-/tmp}/push.XXXXXX") || refuse 'cannot make a temporary directory; set TMPDIR'
lent='' owner=''
trap 'rm -rf "$scratch"; give_back' EXIT
trap 'exit 129' HUP
trap 'exit 130' INT
trap 'exit 143' TERM
: >"$scratch/loaded" || refuse "cannot write in $scratch; set TMPDIR"
# what load.sh says of each image tells which of the platforms it took: NAME (PLATFORM, N MiB): loaded
{ sh "$directory/load.sh" "$@" </dev/null || : >"$scratch/incomplete"; } | while IFS= read -r line; do
    printf '%s\n' "$line"
    case $line in *'): loaded' | *'): present') printf '%s\n' "$line" ;; esac >>"$scratch/loaded"
done
[ ! -e "$scratch/incomplete" ] || failed="$failed (load.sh)"

loaded=$(cat "$scratch/loaded")
while next_image; do
    case $newline$loaded in *"$newline${names%% *} ($its_platform, "*) ;; *) continue ;; esac
    if known_as; then
        push_all
    else
        printf '%s: FAILED\n' "${names%% *}"
        failed="$failed ${names%% *}"
    fi
done <"$table"
[ -z "$failed" ] || refuse "not done:$failed"
