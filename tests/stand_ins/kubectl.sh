#!/bin/sh
# A stand-in of kubectl and its cluster for tests without an API server: what `bundler site` and the other stand-ins ask
# of it, from files below $STAND_IN_ROOT/var/lib/stand-ins/cluster:
#   down          the API does not answer            forbidden     secrets may not be read
#   crds          names of custom resources          nodes         what was created of them
#   secrets/NAME/KEY   values in base64              pods.json     the answer to `get pods -o json`
#   configmaps/NAME    as they were applied          daemonsets.json   a list, which daemon_sets.py reads and patches
# Where a real kubectl lies, it is not needed: whatever is asked here, that one answers as well.
cluster=${STAND_IN_ROOT:-}/var/lib/stand-ins/cluster
mkdir -p "$cluster/secrets"
output= words=
case " $* " in
  *' daemonset '* | *' daemonsets '*) exec python3 /usr/local/lib/stand-ins/daemon_sets.py "$cluster" "$@" ;;
esac
while [ $# -gt 0 ]; do
  case $1 in
    --kubeconfig | -n | --namespace | -l) shift 2 ;;
    -o) output=$2; shift 2 ;;
    --output=*) output=${1#--output=}; shift ;;
    -f) file=$2; [ "$2" != - ] || file=/dev/stdin; shift 2 ;;
    --raw) raw=$2; shift 2 ;;
    --from-file=*) from="${from:-} ${1#--from-file=}"; shift ;;
    --*) shift ;;
    *) words="$words $1"; shift ;;
  esac
done
if [ -e "$cluster/down" ]; then
  echo 'The connection to the server 10.99.0.1:6443 was refused - did you specify the right host or port?' >&2
  exit 1
fi
if [ "${raw:-}" ]; then
  case $raw in /readyz) printf ok ;; *) printf '{}' ;; esac
  exit 0
fi
# shellcheck disable=SC2086 # a list of words
set -- $words

secret() {
  if [ -e "$cluster/forbidden" ]; then
    echo "Error from server (Forbidden): secrets \"$1\" is forbidden: User \"noget\" cannot get resource \"secrets\" in API group \"\" in the namespace \"kubeedge\"" >&2
    exit 1
  fi
  if ! [ -d "$cluster/secrets/$1" ]; then
    echo "Error from server (NotFound): secrets \"$1\" not found" >&2
    exit 1
  fi
  case $output in
    name) echo "secret/$1" ;;
    jsonpath=*) key=${output#*.data.}; cat "$cluster/secrets/$1/${key%\}}" ;;
    *)
      printf '{"apiVersion":"v1","kind":"Secret","metadata":{"name":"%s","namespace":"kubeedge"},"type":"Opaque","data":{' "$1"
      comma=
      for value in "$cluster/secrets/$1"/*; do
        printf '%s"%s":"%s"' "$comma" "${value##*/}" "$(cat "$value")"
        comma=,
      done
      printf '}}\n'
      ;;
  esac
}

case "$*" in
  'get secret '*) secret "$3" ;;
  'get crd') cat "$cluster/crds" 2>/dev/null || true ;;
  'get pods') [ "$output" != json ] || cat "$cluster/pods.json" 2>/dev/null || printf '{"items":[]}' ;;
  'get nodes')
    if [ "$output" = json ]; then
      printf '{"items":[%s]}\n' "$(paste -s -d , "$cluster/nodes" 2>/dev/null)"
    else
      cat "$cluster/nodes" 2>/dev/null || true
    fi
    ;;
  'get configmap '*)
    cat "$cluster/configmaps/$3" 2>/dev/null || {
      echo "Error from server (NotFound): configmaps \"$3\" not found" >&2
      exit 1
    }
    ;;
  apply)
    text=$(cat "$file")
    case $text in
      *'"kind":"ConfigMap"'*)
        name=${text#*'"name":"'}
        mkdir -p "$cluster/configmaps"
        printf '%s\n' "$text" >"$cluster/configmaps/${name%%'"'*}"
        exit 0
        ;;
    esac
    name=$(printf '%s\n' "$text" | sed -n 's/^  name: //p')
    grep -qs "/$name$" "$cluster/crds" || echo "customresourcedefinition.apiextensions.k8s.io/$name" >>"$cluster/crds"
    ;;
  create)
    text=$(cat)
    name=${text#*'"name":"'}
    name=${name%%'"'*}
    if grep -qs "\"name\":\"$name\"" "$cluster/nodes"; then
      echo "Error from server (AlreadyExists): nodes \"$name\" already exists" >&2
      exit 1
    fi
    printf '%s\n' "$text" >>"$cluster/nodes"
    ;;
  'create secret generic '*)
    mkdir -p "$cluster/secrets/$4"
    for pair in $from; do base64 -w 0 "${pair#*=}" >"$cluster/secrets/$4/${pair%%=*}"; done
    ;;
  'delete secret '*) rm -rf "$cluster/secrets/$3" ;;
  *) echo "stand-in: kubectl does not play: $*" >&2; exit 70 ;;
esac
# what a cluster has taken is on its disk
case $1 in apply | create | delete) find "$cluster" -exec sync {} + ;; esac
