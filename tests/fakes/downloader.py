"""A `Downloader` over a dictionary: what each url gives, and what was asked for."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING

from bundler.errors import ErrorId, IntegrityError, SourceError
from bundler.net.http.attempt import accepted
from bundler.net.interface import CachedDocument, Document, Received, Validators

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from bundler.model.progress import Task
    from bundler.model.sink import Sink

WRITTEN_S = 1_655_000_000


def not_found(url: str) -> SourceError:
    """Return what the real one raises for an answer 404."""
    return SourceError(ErrorId.SOURCE_NOT_FOUND, "does not exist", where=url, remedy="Check the address.")


@dataclass(slots=True)
class MappedDownloader:
    """See `bundler.net.interface.Downloader`. A url that is not mapped does not exist.

    It has no mirrors: what `accept` refuses is dropped, and the error raised.

    Arguments:
        files: url -> content.
        via: the mirror's prefix that everything comes through, or "".
        tags: url -> the ETag of its content; one that stays the same says that the content does.
        asked: every url that was asked for, in order. reused: those of them whose content was found unchanged.
    """

    files: Mapping[str, bytes]
    via: str = ""
    tags: dict[str, str] = field(default_factory=dict)
    asked: list[str] = field(default_factory=list)
    reused: list[str] = field(default_factory=list)

    def download(
        self,
        urls: Sequence[str],
        sink: Sink,
        task: Task,
        *,
        size: int | None = None,
        accept: Callable[[Received], None] | None = None,
    ) -> Received:
        """Bring the first url that exists; a resumed one goes on where the sink ends, whatever it holds."""
        for url in urls:
            data = self.files.get(url)
            if data is None:
                self.asked.append(url)
                continue
            if size is not None and size != len(data):
                self.asked.append(url)
                raise IntegrityError(
                    ErrorId.UPSTREAM_CHANGED,
                    "has another size",
                    where=url,
                    remedy="-",
                    want=str(size),
                    got=str(len(data)),
                )
            task.advance(sink.offset)
            return accepted(partial(self._rest, url, sink, task), accept or (lambda _: None), sink, task)
        raise not_found(urls[-1])

    def _rest(self, url: str, sink: Sink, task: Task) -> Received:
        self.asked.append(url)
        rest = self.files[url][sink.offset :]
        sink.write(rest)
        task.advance(len(rest))
        return Received(sink.offset, WRITTEN_S, self.via)

    def size(self, urls: Sequence[str]) -> int | None:
        """Return the size of the first url that exists; None for one whose content begins with `size unknown`."""
        for url in urls:
            if (data := self._get(url)) is not None:
                return None if data.startswith(b"size unknown") else len(data)
        raise not_found(urls[-1])

    def read(
        self,
        url: str,
        *,
        max_bytes: int,
        accept: Callable[[Document], None] | None = None,
        cached: CachedDocument | None = None,
    ) -> Document:
        """Return a document; the cached one when its tag is the one that the url has now."""
        data = self._get(url)
        if data is None:
            raise not_found(url)
        assert len(data) <= max_bytes
        known = Validators(url, self.tags[url]) if url in self.tags else None
        reused = cached is not None and cached.validators == known
        if reused:
            self.reused.append(url)
        document = Document(cached.data if cached and reused else data, WRITTEN_S, self.via, known, reused)
        if accept is not None:
            accept(document)
        return document

    def _get(self, url: str) -> bytes | None:
        self.asked.append(url)
        return self.files.get(url)
