#!/bin/sh
# Starts @PROGRAM@ with the Python that this bundle brings for the machine, wherever the bundle lies and whatever the
# environment says. It needs sh and uname, and readlink where it is called through a link; neither /proc nor /dev.
fail() {
  echo "@PROGRAM@: $*" >&2
  exit 10
}

self=$0
case $self in
  */*) ;;
  *) self=$(command -v "$self") || self=./$0 ;;
esac
hops=0
while [ -L "$self" ] && [ "$hops" -lt 40 ]; do
  hops=$((hops + 1))
  target=$(readlink "$self") || fail "$self is a link, and readlink is not there to follow it"
  case $target in
    /*) self=$target ;;
    *) self=${self%/*}/$target ;;
  esac
done
# a name that ends with a line break keeps it: command substitution takes off what is behind the x
directory=$(unset CDPATH && cd -P "${self%/*}/.." && pwd -P && echo x) || exit 1
directory=${directory%?x}
machine=$(PATH=$PATH:/usr/bin:/bin uname -m)
python=$directory/runtime/$machine/bin/python3
[ -f "$python" ] || fail "no runtime for $machine in this bundle, which has" "$(cd "$directory" && echo runtime/*)"
case $machine in
  x86_64) loader=/lib64/ld-linux-x86-64.so.2 ;;
  aarch64) loader=/lib/ld-linux-aarch64.so.1 ;;
  *) loader=/ ;;
esac
[ -e "$loader" ] || fail "this system has no glibc ($loader is missing); the runtime needs glibc 2.17 or newer, not musl"
# without /proc the loader does not know where the program lies, whose libraries are beside it: ld.so(8)
[ -e /proc/self/exe ] || export LD_ORIGIN_PATH="${python%/*}"
refuse() {
  fail "$python cannot be executed; is its file system mounted noexec?"
}
# bash runs no trap when exec fails; for root, ash's -x knows nothing of noexec
[ -x "$python" ] || refuse
trap refuse EXIT
exec "$python" -I -B -m @PROGRAM@ "$@"
