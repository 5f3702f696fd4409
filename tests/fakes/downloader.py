"""A `Downloader` over a dictionary: what each url gives, and what was asked for."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from bundler.errors import ErrorId, IntegrityError, SourceError
from bundler.net.interface import Document, Received

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from bundler.model.progress import Task
    from bundler.net.interface import Sink

WRITTEN_S = 1_655_000_000


def not_found(url: str) -> SourceError:
    """Return what the real one raises for an answer 404."""
    return SourceError(ErrorId.SOURCE_NOT_FOUND, "does not exist", where=url, remedy="Check the address.")


@dataclass(slots=True)
class MappedDownloader:
    """See `bundler.net.interface.Downloader`. A url that is not mapped does not exist.

    Arguments:
        files: url -> content.
        via: the mirror's prefix that everything comes through, or "".
        asked: every url that was asked for, in order.
    """

    files: Mapping[str, bytes]
    via: str = ""
    asked: list[str] = field(default_factory=list)

    def download(self, urls: Sequence[str], sink: Sink, task: Task, *, size: int | None = None) -> Received:
        """Bring the first url that exists; a resumed one goes on where the sink ends, whatever it holds."""
        for url in urls:
            data = self._get(url)
            if data is None:
                continue
            if size is not None and size != len(data):
                raise IntegrityError(
                    ErrorId.UPSTREAM_CHANGED,
                    "has another size",
                    where=url,
                    remedy="-",
                    want=str(size),
                    got=str(len(data)),
                )
            rest = data[sink.offset :]
            sink.write(rest)
            task.advance(len(rest))
            return Received(sink.offset, WRITTEN_S, self.via)
        raise not_found(urls[-1])

    def size(self, urls: Sequence[str]) -> int | None:
        """Return the size of the first url that exists; None for one whose content begins with `size unknown`."""
        for url in urls:
            if (data := self._get(url)) is not None:
                return None if data.startswith(b"size unknown") else len(data)
        raise not_found(urls[-1])

    def read(self, url: str, *, max_bytes: int) -> Document:
        """Return a document."""
        data = self._get(url)
        if data is None:
            raise not_found(url)
        assert len(data) <= max_bytes
        return Document(data, WRITTEN_S, self.via)

    def _get(self, url: str) -> bytes | None:
        self.asked.append(url)
        return self.files.get(url)
