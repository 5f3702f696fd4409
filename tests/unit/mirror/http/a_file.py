"""A file as answers are made of it, without any disk."""

from __future__ import annotations

from bundler.model.digest import Digest
from mirror.tree.served import File, FilePlace

# Sun, 13 Sep 2020 12:26:40 GMT
MODIFIED_S = 1_600_000_000
MODIFIED = "Sun, 13 Sep 2020 12:26:40 GMT"
EARLIER = "Sun, 13 Sep 2020 12:26:39 GMT"
LATER = "Sun, 13 Sep 2020 12:26:41 GMT"


def a_file(size: int = 1000, *, shared: bool = False) -> File:
    """Return a listed file of so many bytes, or a shared one, for which nobody vouches."""
    digest = Digest.sha256(b"its content")
    return File(
        place=FilePlace(-1, "yum/a.rpm"),
        size=size,
        etag='"shared"' if shared else f'"{digest.hex}"',
        modified_s=MODIFIED_S,
        media_type="application/x-rpm",
        identity=None,
        bundle="" if shared else "0123456789ab",
        path="yum/a.rpm",
        digest=None if shared else digest,
    )
