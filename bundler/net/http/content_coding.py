"""Content codings that nobody asked for (RFC 9110, 8.4): which of them are undone, and how. Pure.

Every request asks for bytes as they are. Some servers and caches compress all the same; and some put the field beside a
file that is compressed itself (Apache's AddEncoding), whose bytes are then the wanted ones.
"""

from __future__ import annotations

import zlib
from itertools import chain
from typing import TYPE_CHECKING

from bundler.errors import ErrorId, SourceError
from bundler.translation import tr

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

# coding -> how files end that are so by themselves
_ENDINGS: Mapping[str, tuple[str, ...]] = {
    "gzip": (".gz", ".tgz"),
    "x-gzip": (".gz", ".tgz"),
    "deflate": (".zz",),
    "br": (".br",),
    "zstd": (".zst", ".tzst"),
    "compress": (".z",),
    "x-compress": (".z",),
    "x-bzip2": (".bz2", ".tbz2"),
}
_GZIP, _DEFLATE = frozenset({"gzip", "x-gzip"}), "deflate"
_GZIP_MAGIC = b"\x1f\x8b"
# zlib's own forms of "window of 32 KiB": within gzip, within zlib, and bare
_IN_GZIP, _IN_ZLIB, _BARE = 31, 15, -15
_PIECE_BYTES = 4 * 1024


def codings(headers: Mapping[str, str], *names: str) -> tuple[str, ...]:
    """Return the codings of a body that have to be undone, in the order in which they were applied.

    Arguments:
        names: what the content is called, such as its URL: that of a compressed file is no coding. Words that are no
            coding (`UTF-8`, `aws-chunked`) stand beside bytes that are as they are.
    """
    listed = (word.strip().lower() for word in headers.get("Content-Encoding", "").split(","))
    ends = tuple(name.partition("?")[0].lower() for name in names)
    return tuple(word for word in listed if word in _ENDINGS and not any(end.endswith(_ENDINGS[word]) for end in ends))


def undone(chunks: Iterable[bytes], applied: tuple[str, ...], where: str) -> Iterator[bytes]:
    """Yield a body without these codings.

    What is called gzip and does not begin so is taken as it is. Raises SourceError about `where`: cut (retryable),
    damaged, or in a coding that is not known here.
    """
    plain = iter(chunks)
    for coding in reversed(applied):
        if coding in _GZIP:
            plain = _inflated(plain, where, gzip=True)
        elif coding == _DEFLATE:
            plain = _inflated(plain, where, gzip=False)
        else:
            raise _invalid(tr("was answered in the coding {coding!r}, which nobody asked for", coding=coding), where)
    return plain


def _inflated(chunks: Iterator[bytes], where: str, *, gzip: bool) -> Iterator[bytes]:
    head = b""
    while len(head) < len(_GZIP_MAGIC) and (chunk := next(chunks, b"")):
        head += chunk
    if not head:
        return
    if gzip and not head.startswith(_GZIP_MAGIC):
        yield head
        yield from chunks
        return
    window = _IN_GZIP if gzip else _zlib_window(head)
    inflater = zlib.decompressobj(window)
    try:
        for piece in _small_pieces(chain((head,), chunks)):
            packed = piece
            while packed:
                if inflater.eof:
                    # several members are one body (RFC 1952, 2.2)
                    inflater = zlib.decompressobj(window)
                if plain := inflater.decompress(packed):
                    yield plain
                packed = inflater.unused_data
    except zlib.error as error:
        raise _invalid(
            tr("was answered compressed, which nobody asked for, and is damaged: {error}", error=error), where
        ) from error
    if not inflater.eof:
        raise SourceError(
            ErrorId.SOURCE_CUT,
            tr("the answer, which came compressed unasked, was cut"),
            where=where,
            remedy=tr("Run the command again."),
            retryable=True,
        )


def _small_pieces(chunks: Iterable[bytes]) -> Iterator[bytes]:
    """Yield pieces of which none can become very much at once."""
    for chunk in chunks:
        yield from (chunk[at : at + _PIECE_BYTES] for at in range(0, len(chunk), _PIECE_BYTES))


def _zlib_window(head: bytes) -> int:
    """Return zlib's form (RFC 1950, 2.2), or the bare one, which some servers send under the same name."""
    has_header = head[0] & 0x0F == zlib.DEFLATED and int.from_bytes(head[:2], "big") % 31 == 0
    return _IN_ZLIB if has_header else _BARE


def _invalid(what: str, where: str) -> SourceError:
    return SourceError(
        ErrorId.SOURCE_INVALID,
        what,
        where=where,
        remedy=tr("Tell the operator of the server or of the proxy in between, or name another url or a --mirror."),
    )
