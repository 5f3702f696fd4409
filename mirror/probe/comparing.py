"""One file on its way against what it should be, in constant memory."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import TYPE_CHECKING

from bundler.translation import tr

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from bundler.model.digest import Blob


@dataclass(frozen=True, slots=True)
class Compared:
    """What came.

    Arguments:
        difference: how it differs, for a person; "" when it is what it should be.
        last: its last byte, b"" for an empty file.
    """

    difference: str
    last: bytes


def compared(chunks: Iterator[bytes], blob: Blob, received: Callable[[int], None]) -> Compared:
    """Read to the end, or until more came than should.

    Arguments:
        received: called with the size of every chunk.
    """
    digest, size, last = hashlib.sha256(), 0, b""
    for chunk in chunks:
        digest.update(chunk)
        size, last = size + len(chunk), chunk[-1:]
        received(len(chunk))
        if size > blob.size:
            return Compared(tr("more than {size} bytes", size=blob.size), last)
    right = (size, digest.hexdigest()) == (blob.size, blob.digest.hex)
    return Compared(
        "" if right else tr("{size} bytes sha256:{hexdigest}", size=size, hexdigest=digest.hexdigest()), last
    )
