## What load.sh and push.sh share: the table of images beside the script, and which of its lines are chosen.
## Needs refuse, $only and $tab; sets $directory and $table.
case $0 in
*/*) directory=${0%/*} ;;
*) directory=. ;;
esac
directory=$(CDPATH='' cd -- "${directory:-/}" && pwd -P) || refuse "cannot enter $directory"
table=$directory/images.tsv
[ -r "$table" ] || refuse "$table cannot be read; run the @SCRIPT@ that lies in the directory k8simage of a bundle"

# An absent variant means amd64/v1, arm64/v8 and arm/v7: both spellings are one platform.
canonical() {
    case $1 in
    */amd64/v1 | */arm64/v8 | */arm/v7) canonical=${1%/*} ;;
    *) canonical=$1 ;;
    esac
}

# Tells whether one of the names matches one of the globs, in full, as Docker shortens it, or as the site knows it.
chosen() {
    [ -n "$only" ] || return 0
    for name in $1; do
        short=${name#docker.io/}
        short=${short#library/}
        site=${name#*/}
        case $site in */*) ;; *) site=library/$site ;; esac
        for glob in $only; do
            # shellcheck disable=SC2254 # a glob on purpose
            case $name in $glob) return 0 ;; esac
            # shellcheck disable=SC2254
            case $short in $glob) return 0 ;; esac
            # shellcheck disable=SC2254
            case $site in $glob) return 0 ;; esac
        done
    done
    return 1
}
