"""What requests and responses have in common, whichever library sends them. Pure."""

from __future__ import annotations

import ipaddress
from typing import TYPE_CHECKING

from bundler.errors import ErrorId, SourceError
from bundler.net.http.content_coding import undone
from bundler.translation import tr

if TYPE_CHECKING:
    from collections.abc import Iterable


def standard_fields(user_agent: str) -> dict[str, str]:
    """Return the fields of every request: bytes are wanted as they are."""
    return {"User-Agent": user_agent, "Accept": "*/*", "Accept-Encoding": "identity"}


def contradicting(where: str) -> SourceError:
    """Return the error for an answer with several lengths, of which none can be believed."""
    return SourceError(
        ErrorId.SOURCE_INVALID,
        tr("the server's answer contradicts itself: it has several lengths"),
        where=where,
        remedy=tr("Tell the operator of the server, or name another url or a --mirror."),
    )


def collected(chunks: Iterable[bytes], applied: tuple[str, ...], max_bytes: int, where: str) -> bytes:
    """Return a whole body without the codings that were applied to it; SourceError about `where`, as when it is longer
    than that.
    """
    data = bytearray()
    for chunk in undone(chunks, applied, where):
        data += chunk
        if len(data) > max_bytes:
            raise SourceError(
                ErrorId.SOURCE_INVALID,
                tr(
                    "is longer than {max_bytes} bytes, which is more than such a document can have", max_bytes=max_bytes
                ),
                where=where,
                remedy=tr("Check that the URL names the right document."),
            )
    return bytes(data)


def is_loopback_name(host: str) -> bool:
    """Tell whether a URL's host is this machine, without resolving it (RFC 6761, 6.3)."""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost" or host.endswith(".localhost")
