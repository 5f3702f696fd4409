"""Which packages a system of an architecture takes, by their own architectures. Follows libsolv's poolarch.c."""

from __future__ import annotations

NOARCH = "noarch"
# 64-bit architectures, on which rpm also takes packages of 32-bit ones
ARCHES_WITHOUT_MULTILIB = {
    "x86_64": frozenset({"x86_64", NOARCH}),
    "ppc64": frozenset({"ppc64", NOARCH}),
    "s390x": frozenset({"s390x", NOARCH}),
    "sparc64": frozenset({"sparc64", NOARCH}),
}
_X86 = frozenset({"i686", "i586", "i486", "i386"})
_FURTHER = {"x86_64": _X86, "i686": _X86, "armv7hl": frozenset({"armv6hl"}), "s390x": frozenset({"s390"})}


def installable_arches(arch: str, *, multilib: bool) -> frozenset[str]:
    """Return the architectures of the packages that an entry may choose for a system.

    Arguments:
        arch: the system's.
        multilib: whether a 64-bit system also gets packages of the 32-bit architecture beside it.
    """
    further = _FURTHER.get(arch, frozenset()) if multilib or arch not in ARCHES_WITHOUT_MULTILIB else frozenset()
    return frozenset({arch, NOARCH}) | further
