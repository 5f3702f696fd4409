#!/bin/sh
# A stand-in of KubeEdge's certgen.sh for tests, as far as `stream` goes: the same variables, files and faults as the
# recordings certgen-*.txt show, real keys and certificates by openssl. Without arguments it does nothing, exit 0; with
# addresses joined by commas, or without the authority's key, it fails after it has made a new key and emptied the
# certificate; it leaves a serial number beside the authority and /tmp/server-extfile.cnf.
set -e
[ $# -gt 0 ] || exit 0
[ "$1" = stream ] || { echo "stand-in: no recording shows $1" >&2; exit 70; }
ca_path=${CA_PATH:-/etc/kubeedge/ca}
cert_path=${CERT_PATH:-/etc/kubeedge/certs}
ca=${K8SCA_FILE:-/etc/kubernetes/pki/ca.crt}
ca_key=${K8SCA_KEY_FILE:-/etc/kubernetes/pki/ca.key}
subject=${SUBJECT:-/C=CN/ST=Zhejiang/L=Hangzhou/O=KubeEdge}
if [ -z "${CLOUDCOREIPS:-}${CLOUDCORE_DOMAINS:-}" ]; then
  echo 'You must set at least one of CLOUDCOREIPS or CLOUDCORE_DOMAINS Env.These environment'
  echo 'variables are set to specify the IP addresses or domains of all cloudcore, respectively.'
  echo 'If there are more than one IP or domain, you need to separate them with a space within a single env.'
  exit 1
fi
mkdir -p "$ca_path" "$cert_path"
cp "$ca" "$ca_path/streamCA.crt"
umask 077
openssl genrsa -out "$cert_path/stream.key" 2048 2>/dev/null
umask 022
openssl req -new -key "$cert_path/stream.key" -subj "$subject" -out "$cert_path/stream.csr"
names=IP.1:127.0.0.1 number=1
for address in ${CLOUDCOREIPS:-}; do number=$((number + 1)) names="$names,IP.$number:$address"; done
number=0
for name in ${CLOUDCORE_DOMAINS:-}; do number=$((number + 1)) names="$names,DNS.$number:$name"; done
echo "subjectAltName = $names" >/tmp/server-extfile.cnf
: >"$cert_path/stream.crt"
openssl x509 -req -in "$cert_path/stream.csr" -CA "$ca" -CAkey "$ca_key" -CAcreateserial -days 5000 -sha256 \
  -extfile /tmp/server-extfile.cnf >"$cert_path/stream.crt"
