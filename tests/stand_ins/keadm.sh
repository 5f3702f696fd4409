# A stand-in of keadm 1.11.1 for tests: POSIX sh, for hosts that have nothing else. It answers as the recordings in
# tests/data/kubeedge-recordings do; the texts (text_NAME) are put before this file by tests/stand_ins/kubeedge_programs.py.
# What it does depends on its arguments, its stdin and the state of the host, as the real one's does:
#
#   init  CloudCore is already running      pidof finds cloudcore                         init-already-running
#         failed to build config            the kubeconfig is missing                     init-no-kubeconfig
#         failed to get the version         kubectl cannot reach the API                  init-api-unreachable
#         wget … .yaml                      one of the six definitions is missing         init-no-crds
#         panic: semver                     the version begins with a v                   init-v-prefix-panics
#   join  required flag                     no --cloudcore-ipport                         join-no-cloudcore-ipport
#         yum -y install epel-release       no process whose path has "mosquit"           join-yum-offline
#         EdgeCore is already running       pidof finds edgecore                          rejoin-while-running
#         panic: index out of range         a label without "="                           join-label-without-equals
#         HostnameOverride: Invalid value   a node name that is none                      join-upper-case-node-name
#         failed to create hard link        the unit exists, or is on another mount       rejoin-unit-exists, join-hard-link-…
#   both  wget … .tar.gz                    the archive is missing                        join-no-tarball
#         [y/N]                             no checksum file, or one that differs         join-no-checksum-…, join-checksum-…
#         wget … .service                   the unit is missing                           join-no-unit-file-answer-n
#   gettoken                                from secret tokensecret                       gettoken-good, gettoken-api-unreachable
#
# Played, for no recording shows it: labels in edgecore.yaml, what follows a yum that works, --tarballpath.
# STAND_IN_ROOT is put before every path of the host; what is printed names the paths without it.

root=${STAND_IN_ROOT:-}
place=$root/etc/kubeedge
new_line='
'

kind=$1
usage=$1
case $1 in
  version) text_version; exit 0 ;;
  gettoken) shift ;;
  deprecated) kind=$2; usage=$2; shift 2 ;;
  *) echo "stand-in: no recording shows keadm $*" >&2; exit 70 ;;
esac

# fails with an error as cobra prints it: once by keadm, once with the usage
fail() {
  printf 'execute keadm command failed:  %s\n' "$1"
  printf 'Error: %s\n' "$1" >&2
  "text_usage_$usage" >&2
  exit 1
}

version= addresses= kubeconfig=/root/.kube/config hub= token= name= driver= labels= force=
while [ $# -gt 0 ]; do
  case $1 in
    --force) force=yes; shift; continue ;;
    --*=*) option=${1%%=*} value=${1#*=}; shift ;;
    -*) option=$1 value=${2-}; shift; [ $# -gt 0 ] && shift ;;
    *) shift; continue ;;
  esac
  case $option in
    --kubeedge-version) version=$value ;;
    --advertise-address) addresses=$value ;;
    --kube-config) kubeconfig=$value ;;
    --cloudcore-ipport | -e) hub=$value ;;
    --token | -t) token=$value ;;
    --edgenode-name | -i) name=$value ;;
    --cgroupdriver) driver=$value ;;
    --labels | -l) labels=$value ;;
    *) echo "stand-in: no recording shows $option" >&2; exit 70 ;;
  esac
done

case $(uname -m) in
  x86_64) arch=amd64 ;;
  aarch64) arch=arm64 ;;
  *) arch=arm ;;
esac

running() { pidof "$1" >/dev/null 2>&1; }

server() { sed -n 's/^ *server: *//p' "$root$kubeconfig" 2>/dev/null | head -n 1; }

# prints why the API does not answer a GET of $1, as Go's client says it
unreachable() {
  url=$(server)
  printf 'Get "%s%s": dial tcp %s: connect: connection refused' "$url" "$1" "${url#https://}"
}

# fails as a download of $2 into directory $1 by command $3 does, where no name resolves; $4 and $5 stand around it
download() {
  host=${2#https://}
  host=${host%%/*}
  log="--$(date '+%Y-%m-%d %H:%M:%S')--  $2${new_line}Resolving $host ($host)... failed: Temporary failure in name resolution.
wget: unable to resolve host address '$host'${new_line}Converted links in 0 files in 0 seconds."
  fail "${4-}failed to exec 'bash -c cd $1 && $3 $2', err: $log$new_line, err: exit status 4${5-}"
}

# asks until there is an answer; without anybody who answers that is for ever, and about 500,000 lines a second
ask() {
  printf '%s in your path checksum failed and do you want to delete this file and try to download again? \n' "$archive"
  unread=EOF
  [ -e /proc/self/fd/0 ] || unread='read /dev/stdin: resource temporarily unavailable'
  while :; do
    printf '[y/N]: \n'
    if [ "$unread" = EOF ] && read -r answer; then
      case $answer in
        y | Y) return 0 ;;
        n | N) return 1 ;;
        *) printf 'invalid Input\n'; continue ;;
      esac
    fi
    lines="$unread$new_line[y/N]: $new_line" count=0
    printf '%s\n' "$unread"
    while [ $count -lt 9 ]; do lines=$lines$lines count=$((count + 1)); done
    printf '[y/N]: \n'
    while printf '%s' "$lines"; do :; done
    exit 1
  done
}

get_archive() {
  archive=kubeedge-v$version-linux-$arch.tar.gz
  url=https://github.com/kubeedge/kubeedge/releases/download/v$version/$archive
  wget='wget -k --no-check-certificate --progress=bar:force'
  [ -f "$place/$archive" ] || download /etc/kubeedge/ "$url" "$wget"
  sum=checksum_$archive.txt
  printf 'Expected or Default KubeEdge version %s is already downloaded and will checksum for it. \n' "$version"
  printf '%s checksum: \n%s content: \n' "$archive" "$sum"
  right=
  if [ -f "$place/$sum" ]; then
    printf 'Expected or Default checksum file %s is already downloaded. \n' "$sum"
    actual=$(sha512sum "$place/$archive")
    if [ "$(cat "$place/$sum")" = "${actual%% *}" ]; then
      right=yes
    else
      printf 'Failed to verify the checksum of %s ... \n\n' "$archive"
    fi
  fi
  if [ "$right" ]; then
    printf 'Expected or Default KubeEdge version %s is already downloaded\n' "$version"
  elif ask; then
    rm "$place/$archive"
    printf '%s have been deleted and will try to download again\n' "$archive"
    download /etc/kubeedge/ "$url" "$wget"
  else
    printf 'failed to checksum and will continue to install.\n'
  fi
}

# the unit and the programs of $1 (cloudcore, edgecore)
get_programs() {
  short=${version%.*}
  printf 'keadm will download version %s service file\n' "$short"
  if [ -f "$place/$1.service" ]; then
    printf '[Run as service] service file already exisits in /etc/kubeedge//%s.service, skip download\n' "$1"
  else
    printf '[Run as service] start to download service file for %s\n' "$1"
    url=https://raw.githubusercontent.com/kubeedge/kubeedge/release-$short/build/tools/$1.service
    sudo -E wget -t 5 -k --no-check-certificate "$url" >/dev/null 2>&1
    download /etc/kubeedge/ "$url" 'sudo -E wget -t 5 -k --no-check-certificate' 'fail to download service file,error:{' '}'
  fi
  tar -C "$place" -xvzf "$place/$archive"
  mkdir -p "$root/usr/local/bin" "$place/config"
}

tree() { printf '%s/kubeedge-v%s-linux-%s' "$place" "$version" "$arch"; }

init() {
  case $version in
    '') text_no_version; version=1.10.0 ;;
    v*) text_panic_version >&2; exit 2 ;;
  esac
  running cloudcore && fail 'CloudCore is already running on this node, please run reset to clean up first'
  [ -f "$root$kubeconfig" ] || fail "failed to build config, err: stat $kubeconfig: no such file or directory"
  kubectl --kubeconfig "$root$kubeconfig" get --raw /version >/dev/null 2>&1 || fail "failed to get the version of K8s master, please check whether K8s was successfully installed, err: $(unreachable '/version?timeout=32s')"
  printf 'Kubernetes version verification passed, KubeEdge installation will start...\n'
  short=${version%.*}
  printf 'keadm will install %s CRDs\n' "$short"
  for crd in devices/devices_v1alpha2_device devices/devices_v1alpha2_devicemodel \
    reliablesyncs/cluster_objectsync_v1alpha1 reliablesyncs/objectsync_v1alpha1 \
    router/router_v1_rule router/router_v1_ruleEndpoint; do
    directory=/etc/kubeedge/crds/${crd%/*}
    mkdir -p "$root$directory"
    url=https://raw.githubusercontent.com/kubeedge/kubeedge/release-$short/build/crds/$crd.yaml
    [ -f "$place/crds/$crd.yaml" ] || download "$directory" "$url" 'wget -k --no-check-certificate --progress=bar:force'
    kubectl --kubeconfig "$root$kubeconfig" apply -f "$place/crds/$crd.yaml" >/dev/null
  done
  get_archive
  get_programs cloudcore
  list=
  for address in $(printf '%s' "$addresses" | tr , ' '); do list="$list    - $address\\$new_line"; done
  text_cloudcore_yaml | sed -e "s|^    - CLOUD_IP\$|${list%"\\$new_line"}|" \
    -e "s|kubeConfig: .*|kubeConfig: $kubeconfig|" >"$place/config/cloudcore.yaml"
  cp "$(tree)/cloud/cloudcore/cloudcore" "$root/usr/local/bin/cloudcore"
  mkdir -p "$root/var/log/kubeedge"
  "$root/usr/local/bin/cloudcore" >"$root/var/log/kubeedge/cloudcore.log" 2>&1 </dev/null &
  printf '\nKubeEdge cloudcore is running, For logs visit:  /var/log/kubeedge/cloudcore.log\nCloudCore started\n'
}

# the first program whose path has these letters, as keadm asks ps for it
mosquitto() {
  for process in /proc/[0-9]*; do
    program=$(readlink "$process/exe" 2>/dev/null) || continue
    case $program in *mosquit*) printf '%s' "$program"; return 0 ;; esac
  done
  [ -f "$root/run/stand-in-mosquitto" ] && cat "$root/run/stand-in-mosquitto"
}

install_by_yum() {
  printed=$(yum -y install "$1" 2>&1) || fail "failed to exec 'bash -c yum -y install $1', err: $printed$new_line, err: exit status 1"
}

# replaces what the recorded edgecore.yaml leaves open
edge_settings() {
  cloud=${hub%:*}
  text_edgecore_yaml | sed -e "s|CLOUD_IP|$cloud|" -e "s|EDGE_NAME|$name|" -e "s|EDGE_IP|${STAND_IN_ADDRESS:-192.0.2.11}|" \
    -e "s|token: TOKEN|token: $token|" -e "s|cgroupDriver: cgroupfs|cgroupDriver: ${driver:-cgroupfs}|" |
    while IFS= read -r line; do
      printf '%s\n' "$line"
      case $line in
        '    imagePullProgressDeadline:'*)
          [ -z "$labels" ] || printf '    labels:\n'
          for label in $(printf '%s' "$labels" | tr , ' '); do printf '      %s: "%s"\n' "${label%%=*}" "${label#*=}"; done
          ;;
      esac
    done
}

join() {
  [ "$hub" ] || fail 'required flag(s) "cloudcore-ipport" not set'
  if program=$(mosquitto) && [ "$program" ]; then
    printf 'Host has %s already installed and running. Hence skipping the installation steps !!!\n' "$program"
  else
    install_by_yum epel-release
    install_by_yum mosquitto
  fi
  running edgecore && fail 'EdgeCore is already running on this node, please run reset to clean up first'
  get_archive
  get_programs edgecore
  for label in $(printf '%s' "$labels" | tr , ' '); do
    case $label in *=*) ;; *) text_panic_label >&2; exit 2 ;; esac
  done
  name=${name:-$(uname -n)}
  case $name in
    *[!a-z0-9.-]* | -* | *- | '')
      fail "[
  HostnameOverride: Invalid value: \"$name\": a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', and must start and end with an alphanumeric character (e.g. 'example.com', regex used for validation is '[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*')
]
"
      ;;
  esac
  edge_settings >"$place/config/edgecore.yaml"
  cp "$(tree)/edge/edgecore" "$root/usr/local/bin/edgecore"
  from=/etc/kubeedge/edgecore.service to=/etc/systemd/system/edgecore.service
  chain="sudo ln $from $to && sudo systemctl daemon-reload && sudo systemctl enable edgecore && sudo systemctl start edgecore"
  printed=$(sudo ln "$root$from" "$root$to" 2>&1 && sudo systemctl daemon-reload 2>&1 &&
    sudo systemctl enable edgecore 2>&1 && sudo systemctl start edgecore 2>&1) ||
    fail "failed to exec 'bash -c $chain', err: $(printf '%s' "$printed" | sed "s|$root/|/|g")$new_line, err: exit status 1"
  printf '\nKubeEdge edgecore is running, For logs visit: journalctl -u edgecore.service -xe\n'
}

gettoken() {
  path=/api/v1/namespaces/kubeedge/secrets/tokensecret
  found=$(kubectl --kubeconfig "$root$kubeconfig" -n kubeedge get secret tokensecret -o 'jsonpath={.data.tokendata}' 2>/dev/null) || {
    printf 'failed to get token, err is %s\n' "$(unreachable $path)"
    fail "$(unreachable $path)"
  }
  printf '%s' "$found" | base64 -d
}

reset() {
  if [ -z "$force" ]; then
    printf "[reset] WARNING: Changes made to this host by 'keadm init' or 'keadm join' will be reverted.\n"
    printf '[reset] Are you sure you want to proceed? [y/N]: '
    read -r answer && [ "$answer" = y ] || fail 'aborted reset operation'
  fi
  if running cloudcore || running edgecore; then
    echo 'stand-in: a reset that does something is not played' >&2
    exit 70
  fi
  printf 'None of KubeEdge components are running in this host, exit\n'
}

case $kind in
  init | join | gettoken | reset) "$kind" ;;
  *) echo "stand-in: no recording shows keadm $kind" >&2; exit 70 ;;
esac
