"""Which distribution an RPM was built for, by what its header says of itself. Pure; a guess is no answer."""

from __future__ import annotations

import re
from dataclasses import dataclass

# how a vendor's name begins -> namespace of package URLs, ID of os-release
_VENDORS = {
    "almalinux": ("almalinux", "almalinux"),
    "centos": ("centos", "centos"),
    "fedora": ("fedora", "fedora"),
    "http://openeuler.org": ("openeuler", "openeuler"),
    "kylin": ("kylin", "kylin"),
    "openanolis": ("anolis", "anolis"),
    "openeuler": ("openeuler", "openeuler"),
    "opensuse": ("opensuse", "opensuse"),
    "oracle": ("oracle", "ol"),
    "red hat": ("redhat", "rhel"),
    "rocky": ("rocky", "rocky"),
    "suse": ("suse", "sles"),
    "uniontech": ("uos", "uos"),
}
# the distribution's mark at the end of a release: Fedora's packaging guidelines, "Dist Tag"
_DIST_TAG = re.compile(r"\.(el|fc)([0-9]+)(?:[._]|$)")
_EPEL = "epel"


@dataclass(frozen=True, slots=True)
class RpmDistribution:
    """What a package URL says of it; both "" where nothing is known."""

    namespace: str = ""
    distro: str = ""


def distribution_of(vendor: str, release: str) -> RpmDistribution:
    """Return the distribution of a package.

    Arguments:
        vendor: of its header; that of a company that builds for others tells nothing.
        release: the last part of its version.
    """
    vendor = vendor.lower()
    known = next((names for begin, names in _VENDORS.items() if vendor.startswith(begin)), None)
    if known is None:
        return RpmDistribution()
    namespace, distro = known
    tag = _DIST_TAG.search(release)
    if tag is None:
        return RpmDistribution(namespace, distro)
    # Fedora builds EPEL too
    family = _EPEL if distro == "fedora" and tag[1] == "el" else distro
    return RpmDistribution(namespace, f"{family}-{tag[2]}")
