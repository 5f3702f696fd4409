# Make a Debian tree in an empty directory: make-minbase.sh LAYER SUITE PACKAGE…
# apt's own settings say where from: the first mirror of the suite, and the proxy.
layer=$1 suite=$2
shift 2
. "${0%/*}/apt-mirror.sh"
mirror=$(apt_mirror "$suite")
eval "$(apt-config shell http_proxy Acquire::http::Proxy https_proxy Acquire::https::Proxy)"
[ "${http_proxy:-}" = DIRECT ] && unset http_proxy
[ "${https_proxy:-}" = DIRECT ] && unset https_proxy
[ -z "${http_proxy:-}" ] || export http_proxy
[ -z "${https_proxy:-}" ] || export https_proxy
# debootstrap takes no blanks in a path; only this namespace sees the mount
mount --bind "$layer" /mnt
debootstrap --variant=minbase --include="$(echo "$*" | tr ' ' ,)" "$suite" /mnt "$mirror"
# what debootstrap took over from this machine, and what only apt wants
rm -rf "$layer/etc/resolv.conf" "$layer/etc/hostname" "$layer/etc/machine-id" "$layer/var/lib/dbus/machine-id"
rm -rf "$layer"/var/cache/apt/* "$layer"/var/lib/apt/lists/* "$layer"/var/log/bootstrap.log "$layer"/var/log/apt/*
