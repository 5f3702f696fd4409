# Install packages over a tree, into an empty directory: add-packages.sh LAYER SUITE BASE PACKAGE…
# The layer is what an overlay keeps of the changes; apt works with this machine's settings.
layer=$1 base=$3
shift 3
scratch=$layer.scratch
# the kernel wants an upper and a working directory of one file system; the tmpfs holds where it is mounted
mkdir -p "$scratch"
# a devtmpfs is this machine's own /dev, wherever it is mounted: nothing below a mount is ever removed, however this ends
trap 'umount -R "$scratch/root" 2>/dev/null || true; rm -rf --one-file-system "$scratch"' EXIT
trap 'exit 1' HUP INT TERM
mkdir "$scratch/work" "$scratch/root"
mount -t overlay overlay -o "lowerdir=$base,upperdir=$layer,workdir=$scratch/work" "$scratch/root"
root=$scratch/root
mount -t proc proc "$root/proc"
mount -t devtmpfs devtmpfs "$root/dev" 2>/dev/null || mount --rbind /dev "$root/dev"
apt-config dump | grep '^Acquire::' >"$root/etc/apt/apt.conf.d/00this-machine" || true
cp -L /etc/resolv.conf "$root/etc/resolv.conf"
# nothing is started while it is installed
printf '#!/bin/sh\nexit 101\n' >"$root/usr/sbin/policy-rc.d"
chmod 755 "$root/usr/sbin/policy-rc.d"
chroot "$root" apt-get update
chroot "$root" apt-get install -y --no-install-recommends "$@"
rm -rf "$root"/usr/sbin/policy-rc.d "$root"/etc/apt/apt.conf.d/00this-machine "$root"/etc/resolv.conf
rm -rf "$root"/var/cache/apt/* "$root"/var/lib/apt/lists/* "$root"/var/log/apt/*
umount -R "$root/dev" "$root/proc"
umount "$root"
