"""What kinds share when they download: one url after the other, until what came is what it should be.

Owns which url is asked next and what happens to wrong bytes; what counts as wrong is said by whoever asks. The retries
and mirrors of one url are `bundler.net.files.download`.
"""

from __future__ import annotations

from dataclasses import dataclass
from hashlib import file_digest
from typing import TYPE_CHECKING, TypeVar

from bundler.errors import BundlerError, ErrorId, IntegrityError, SourceError
from bundler.model.digest import Blob
from bundler.model.source_url import absolute_url
from bundler.net.redact import redact_text
from bundler.store.interface import IndexRecord
from bundler.translation import tr

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from bundler.kinds.base import Sources
    from bundler.model.digest import Digest
    from bundler.model.progress import Task
    from bundler.net.interface import Received
    from bundler.store.interface import BlobStore, Incoming

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Pin:
    """What is known of a download before it comes.

    Arguments:
        blob: what the lock or the upstream's metadata say of it.
        exact: whether only a download of exactly this size can be right; an archive may have been packed anew.
    """

    blob: Blob
    exact: bool = True


def from_first_good_url(
    urls: Sequence[str],
    sources: Sources,
    task: Task,
    use: Callable[[Incoming, Received, str], T],
    *,
    pin: Pin | None = None,
    arrived: Callable[[], T | None] = lambda: None,
) -> T:
    """Download from one url after the other until `use` accepts what came; return what it returns.

    Arguments:
        urls: as in the manifest, at least one.
        use: takes the finished download, what is known of it and what messages call its source; raises SourceError or
            IntegrityError when the bytes are wrong, upon which they are dropped and the next place is tried: first
            the url's other mirrors and itself, then the next url.
        pin: what is known of the download; its partial file is then shared between the urls.
        arrived: is asked once the partial file is ours, for what another process may have brought meanwhile; None
            when nothing has.

    Raises the IntegrityError of the first url with wrong bytes, else the last SourceError; ManifestError of `use`,
    StorageError.
    """
    failure: BundlerError | None = None
    for number, url in enumerate(urls, 1):
        try:
            return _from_url(url, sources, task, use, pin=pin, arrived=arrived)
        except (SourceError, IntegrityError) as error:
            if not isinstance(failure, IntegrityError):
                failure = error
            if number < len(urls):
                task.note(tr("{error}; trying the next url", error=error))
    if failure is None:
        raise ValueError(tr("there is no url to download from"))
    raise failure


def _from_url(
    url: str,
    sources: Sources,
    task: Task,
    use: Callable[[Incoming, Received, str], T],
    *,
    pin: Pin | None,
    arrived: Callable[[], T | None],
) -> T:
    absolute = absolute_url(url, sources.base_directory)
    # bytes of different urls may only be joined where a digest tells whether they belong together
    name = str(pin.blob.digest) if pin else absolute
    with sources.store.incoming(name) as incoming:
        if (found := arrived()) is not None:
            return found
        used: list[T] = []

        def accept(received: Received) -> None:
            through = tr(" (through {via})", via=received.via) if received.via else ""
            used.append(use(incoming, received, redact_text(url) + through))

        try:
            size = pin.blob.size if pin and pin.exact else None
            sources.downloader.download([absolute], incoming, task, size=size, accept=accept)
        except (SourceError, IntegrityError):
            # whoever goes on with these bytes counts them again
            task.advance(-incoming.offset)
            raise
        return used[0]


def admit_exactly(incoming: Incoming, want: Digest, size: int | None, where: str, store: BlobStore) -> Blob:
    """Admit a finished download that is what was promised; for a `use` of `from_first_good_url`.

    `known_blob` finds it again, also where the promise was no sha256 with a size.

    Arguments:
        size: the promised bytes, or None where nothing was said of them.

    Raises IntegrityError for other bytes, which stay where they are for whoever brought them to drop.
    """
    got = incoming.digest(want.algorithm)
    if got != want:
        raise other_bytes(where, want, got)
    if size is not None and incoming.offset != size:
        raise IntegrityError(
            ErrorId.UPSTREAM_CHANGED,
            tr("has another size than was promised"),
            where=where,
            remedy=tr("Ask the publisher; the digest and the size that are promised do not belong together."),
            want=tr("{size} bytes", size=size),
            got=tr("{offset} bytes", offset=incoming.offset),
        )
    blob = incoming.commit(want)
    if pinned_blob(want, size) is None:
        store.index.put(str(want), IndexRecord(blob))
    return blob


def pinned_blob(checksum: Digest, size: int | None) -> Blob | None:
    """Return the blob that a published checksum and size name, or None where they do not name one of the store's."""
    return Blob(checksum, size) if checksum.algorithm == "sha256" and size is not None else None


def known_blob(checksum: Digest, size: int | None, store: BlobStore) -> Blob | None:
    """Return the blob of the store that a published checksum stands for, or None when it has to be fetched.

    What is remembered of another kind of checksum is a hint: the bytes are hashed anew before they are taken for it.
    """
    if (pinned := pinned_blob(checksum, size)) is not None:
        return pinned if store.has(pinned) else None
    record = store.index.get(str(checksum))
    if record is None or not store.has(record.blob) or size not in (None, record.blob.size):
        return None
    try:
        with store.path(record.blob).open("rb") as file:
            found = file_digest(file, checksum.algorithm).hexdigest()
    except OSError:
        return None
    return record.blob if found == checksum.hex else None


def other_bytes(where: str, want: Digest, got: Digest, why: str = "") -> IntegrityError:
    """Return the error for bytes that are not the wanted ones; `why` goes on after what is said."""
    return IntegrityError(
        ErrorId.UPSTREAM_CHANGED,
        tr("it has other bytes{why}", why=why),
        where=where,
        remedy=tr("Compare it with what the publisher announces."),
        want=str(want),
        got=str(got),
    )


def no_longer_locked(error: IntegrityError, key: str, where: str) -> IntegrityError:
    """Return the error for what is not what a lock says any more, which names how the new bytes are pinned.

    Arguments:
        error: what is wrong with the bytes.
        key: of the artifact that they are for.
        where: what messages call their source, where the error does not say it.
    """
    return IntegrityError(
        ErrorId.UPSTREAM_CHANGED,
        tr("is no longer what was locked for {key}: {what}", key=key, what=error.what),
        where=error.where or where,
        remedy=tr("Find out why; if the new bytes are right, pin them: `bundler lock --update '{key}'`.", key=key),
        context=error.context,
        want=error.want,
        got=error.got,
    )
