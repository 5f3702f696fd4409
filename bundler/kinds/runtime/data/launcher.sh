#!/bin/sh
# Starts @PROGRAM@ with the Python that this bundle brings for the machine, wherever the bundle lies and whatever the
# environment says. It needs sh and uname; readlink only where it is called through a link.
self=$0
case $self in
  */*) ;;
  *) self=$(command -v -- "$self") || self=./$0 ;;
esac
hops=0
while [ -L "$self" ] && [ "$hops" -lt 40 ]; do
  hops=$((hops + 1))
  target=$(readlink -- "$self" 2>/dev/null || readlink "$self") || break
  case $target in
    /*) self=$target ;;
    *) self=${self%/*}/$target ;;
  esac
done
directory=$(unset CDPATH && cd -P -- "${self%/*}/.." && pwd -P && echo x) || exit 1
directory=${directory%?x}
machine=$(PATH=$PATH:/usr/bin:/bin uname -m)
python=$directory/runtime/$machine/bin/python3
case $machine in
  x86_64) loader=/lib64/ld-linux-x86-64.so.2 ;;
  aarch64) loader=/lib/ld-linux-aarch64.so.1 ;;
  *) loader=/ ;;
esac
if [ ! -f "$python" ]; then
  echo "@PROGRAM@: this bundle brings no runtime for $machine; below $directory/runtime there is:" "$(
    cd "$directory/runtime" 2>/dev/null && echo *
  )" >&2
  exit 10
fi
if [ ! -e "$loader" ]; then
  echo "@PROGRAM@: this system has no glibc ($loader is missing): the runtime needs glibc 2.17 or newer, not musl" >&2
  exit 10
fi
if [ ! -x "$python" ]; then
  echo "@PROGRAM@: $python may not be executed: is its file system mounted noexec?" >&2
  exit 10
fi
exec "$python" -I -B -m @PROGRAM@ "$@"
