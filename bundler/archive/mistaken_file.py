"""What a file is that somebody names in place of an archive, told by its first bytes, and which command takes it."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from bundler.errors import BundleFormatError, ErrorId
from bundler.translation import tr

if TYPE_CHECKING:
    from collections.abc import Sequence

HEAD_BYTES = 64 * 1024
# POSIX pax, "ustar Interchange Format": the magic of a header
_TAR_MAGIC, _TAR_MAGIC_OFFSET = b"ustar", 257
_LOCK = re.compile(rb'\s*\{\s*"entries"\s*:')
_INDEX = re.compile(rb'\s*\{\s*"(deflate|files|format)"\s*:')
_MANIFEST = re.compile(rb"^(version|name|platforms|files|rpms|images|runtime|vars)[ \t]*:", re.MULTILINE)
_CHECKSUM = re.compile(rb"[0-9a-f]{64} [ *][^\n]+\n?")
_AS_BUILT = tr("Name the archive as `bundler build` wrote it: NAME.tar.gz.")


def mistaken_file(where: str, head: bytes) -> BundleFormatError | None:
    """Return the error for a file that is known to be something else than an archive, or None.

    Arguments:
        head: the file's first HEAD_BYTES, which do not begin as gzip does.
    """
    what, remedy = _recognized(head)
    return BundleFormatError(ErrorId.BUNDLE_INVALID, what, where=where, remedy=remedy) if what else None


def _recognized(head: bytes) -> Sequence[str]:
    if _LOCK.match(head):
        takes = tr("`bundler inspect` and `bundler diff` take locks, by a name that ends in .json")
        return tr("is a lock, not a bundle"), tr(
            "{takes}; give this command the archive that `bundler build` makes from it.", takes=takes
        )
    if _INDEX.match(head):
        return tr("is the index of a bundle, not the bundle"), tr("Name the directory that it lies in.")
    if head[_TAR_MAGIC_OFFSET:].startswith(_TAR_MAGIC):
        return tr("is a tar that is not compressed, which `bundler build` never writes"), _AS_BUILT
    if _CHECKSUM.match(head):
        return tr("is a list of checksums, not a bundle"), tr("Name the archive that lies beside it.")
    if _MANIFEST.search(head):
        takes = tr("`bundler check`, `bundler plan` and `bundler build` take manifests")
        return tr("is a manifest, not a bundle"), tr(
            "{takes}; give this command the archive that `bundler build` writes.", takes=takes
        )
    return "", ""
