"""What a download is held to: a digest of the manifest, a published checksum, else first use. docs/design.md, 4.

Owns that order of trust, and the error for a download that is not what was promised.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from bundler.errors import ErrorId, IntegrityError, SourceError
from bundler.kinds.checksum_text import published_digest
from bundler.model.artifact import HeldTo
from bundler.model.source_url import absolute_url, last_segment
from bundler.net.http.web_page import is_unexpected_page, page_error
from bundler.net.redact import redact_text
from bundler.translation import tr

if TYPE_CHECKING:
    from collections.abc import Callable

    from bundler.kinds.base import Sources
    from bundler.kinds.source import Source
    from bundler.model.digest import Digest
    from bundler.net.interface import Document, Received
    from bundler.store.interface import Incoming

# `sha256sum` over every file of a large release
MAX_CHECKSUM_BYTES = 1024 * 1024


@dataclass(frozen=True, slots=True)
class Promise:
    """A digest or None, who says so, and the checksum file when there is one."""

    digest: Digest | None
    held_to: HeldTo
    document: Document | None = None

    def kept_by(self, via: str) -> HeldTo:
        """Return what vouched for bytes that came through this mirror (its prefix, or "")."""
        return HeldTo(self.held_to.by, self.held_to.detail, via)

    def require(self, incoming: Incoming, received: Received, where: str, *names: str) -> None:
        """Raise IntegrityError (CHECKSUM_MISMATCH) when a download is not what was promised; its bytes stay.

        Arguments:
            where: what messages call its source.
            names: its URLs, and the paths that it lands on.

        Raises SourceError (SOURCE_INVALID) for a web page in place of a file: also where nothing was promised, for
        first use would pin whatever a sign-in page says.
        """
        got = None if self.digest is None else incoming.digest(self.digest.algorithm)
        if self.digest is not None and got == self.digest:
            return
        if is_unexpected_page(received.media_type, *names):
            raise page_error(where)
        if self.digest is None:
            return
        promised_by = redact_text(self.held_to.detail) or tr("the manifest")
        raise IntegrityError(
            ErrorId.CHECKSUM_MISMATCH,
            tr("the download is not what {promised_by} promises", promised_by=promised_by),
            where=where,
            remedy=tr(
                "Try again later or from elsewhere; if it stays so, ask the publisher which of the two is right."
            ),
            want=str(self.digest),
            got=str(got),
        )


def _anything(document: Document) -> None:
    """Accept every checksum file that has the digest."""
    del document


def promise_of(source: Source, sources: Sources, accept: Callable[[Document], None] = _anything) -> Promise:
    """Return what a download is held to; reads the published checksum where there is one.

    Arguments:
        accept: raises SourceError for a checksum file that must not be taken, upon which the next mirror is asked.

    Raises SourceError (SOURCE_INVALID: the checksum file does not give a digest for this download).
    """
    if source.digest is not None or not source.checksum_url:
        return Promise(source.digest, source.held_to)

    def check(document: Document) -> None:
        _published(document, source)
        accept(document)

    url = absolute_url(source.checksum_url, sources.base_directory)
    document = sources.downloader.read(url, max_bytes=MAX_CHECKSUM_BYTES, accept=check)
    return Promise(_published(document, source), source.held_to, document)


def _published(document: Document, source: Source) -> Digest:
    try:
        return published_digest(document.data, last_segment(source.urls[0]))
    except ValueError as error:
        raise SourceError(
            ErrorId.SOURCE_INVALID,
            tr("the checksum file {error}", error=error),
            where=redact_text(source.checksum_url),
            remedy=tr("Correct 'checksum_url', or write the digest itself as 'sha256' or 'sha512'."),
        ) from error
