"""Bills as JSON documents, whose bytes are the same wherever they are shown or written. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bundler.model.json_listing import listings_pieces
from bundler.model.steering import STEERING

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from bundler.model.json_value import Json


def document_pieces(members: Mapping[str, Json], lists: Mapping[str, Iterable[Json]]) -> Iterator[bytes]:
    """Yield a document in pieces of whole characters, as `listings_pieces` does.

    What could control a terminal is escaped: half of it was written by upstreams, and it means the same in JSON.
    """
    for piece in listings_pieces(members, lists):
        yield STEERING.sub(lambda match: f"\\u{ord(match[0]):04x}", piece.decode()).encode()
