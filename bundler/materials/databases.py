"""Which files of an image tell of its packages and its system, and who reads each of them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bundler.materials.apk import apk_packages
from bundler.materials.dpkg import dpkg_packages
from bundler.materials.rpm_database import berkeley_packages, ndb_packages, sqlite_packages

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from bundler.materials.os_package import OsPackage

    Reader = Callable[[bytearray], Iterator[OsPackage]]

# a database is held whole while it is read, one in SQLite twice; that of an image with 1,000 RPMs takes about 20 MiB
MAX_DATABASE_BYTES = 48 * 1024 * 1024
# os-release(5): the first that is there counts
OS_RELEASE_PATHS = ("etc/os-release", "usr/lib/os-release")
# images made without dpkg, such as distroless ones, have one file for each package
_STATUS_DIRECTORY = "var/lib/dpkg/status.d"
_MD5_SUFFIX = ".md5sums"
_RPM_DIRECTORIES = ("var/lib/rpm", "usr/lib/sysimage/rpm", "usr/share/rpm")
_RPM_FILES: Mapping[str, Reader] = {
    "rpmdb.sqlite": sqlite_packages,
    "Packages.db": ndb_packages,
    "Packages": berkeley_packages,
}
_READERS: Mapping[str, Reader] = {
    "var/lib/dpkg/status": dpkg_packages,
    "lib/apk/db/installed": apk_packages,
    "usr/lib/apk/db/installed": apk_packages,
    **{f"{directory}/{name}": reader for directory in _RPM_DIRECTORIES for name, reader in _RPM_FILES.items()},
}
# what a database of that name has not taken over yet; empty, as a rule
LOG_PATHS = frozenset(f"{directory}/rpmdb.sqlite-wal" for directory in _RPM_DIRECTORIES)


def _above(path: str) -> Iterator[str]:
    while path := path.rpartition("/")[0]:
        yield path


_DIRECTORIES = frozenset(
    parent for path in (*_READERS, *OS_RELEASE_PATHS, f"{_STATUS_DIRECTORY}/x") for parent in _above(path)
)


def reader_of(path: str) -> Reader | None:
    """Return what reads the packages in a file, None for a file that tells of none."""
    if path.rpartition("/")[0] == _STATUS_DIRECTORY:
        return None if path.endswith(_MD5_SUFFIX) else dpkg_packages
    return _READERS.get(path)


def tells(path: str) -> bool:
    """Tell whether a file says something of packages or of the system."""
    return path in OS_RELEASE_PATHS or path in LOG_PATHS or reader_of(path) is not None


def leads_to_telling(directory: str) -> bool:
    """Tell whether such files may lie below a directory; "" is the root."""
    return not directory or directory in _DIRECTORIES
