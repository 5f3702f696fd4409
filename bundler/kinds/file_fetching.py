"""Gets files from their urls into the store: tries one url after the other, checks, takes members out.

Owns what counts as wrong bytes; what a file is pinned to is decided in `bundler.kinds.file_locking`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, BinaryIO, TypeVar

from bundler.archive.members import read_members
from bundler.errors import BundlerError, ErrorId, IntegrityError, ManifestError, SourceError
from bundler.kinds.base import Fetch
from bundler.model.source_url import absolute_url
from bundler.net.redact import redact_text

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from bundler.kinds.base import Sources
    from bundler.model.digest import Blob, Digest
    from bundler.model.file_artifact import FileArtifact
    from bundler.model.progress import Task
    from bundler.net.interface import Received
    from bundler.store.interface import Incoming

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class FileFetch:
    """One pinned download and what is needed of it.

    Arguments:
        key: a path that it serves, for messages.
        urls: as in the manifest.
        download: what the lock says of it.
        whole: whether the download itself is needed.
        members: (name, content) of the members that are needed.
    """

    key: str
    urls: tuple[str, ...]
    download: Blob
    whole: bool
    members: tuple[tuple[str, Blob], ...]


def from_first_good_url(
    urls: Sequence[str],
    sources: Sources,
    task: Task,
    use: Callable[[Incoming, Received, str], T],
    *,
    pinned: Blob | None = None,
    exact: bool = False,
    arrived: Callable[[], T | None] = lambda: None,
) -> T:
    """Download from one url after the other until `use` accepts what came; return what it returns.

    Arguments:
        urls: as in the manifest, at least one.
        use: takes the finished download, what is known of it and what messages call its source; raises SourceError or
            IntegrityError when the bytes are wrong, upon which they are dropped and the next place is tried: first
            the url's other mirrors and itself, then the next url.
        pinned: what the lock says of the download; its partial file is then shared between the urls.
        exact: whether only a download of exactly the pinned size can be right.
        arrived: is asked once the partial file is ours, for what another process may have brought meanwhile; None
            when nothing has.

    Raises the IntegrityError of the first url with wrong bytes, else the last SourceError; ManifestError of `use`,
    StorageError.
    """
    failure: BundlerError | None = None
    for number, url in enumerate(urls, 1):
        try:
            return _from_url(url, sources, task, use, pinned=pinned, exact=exact, arrived=arrived)
        except (SourceError, IntegrityError) as error:
            if not isinstance(failure, IntegrityError):
                failure = error
            if number < len(urls):
                task.note(f"{error}; trying the next url")
    if failure is None:
        raise ValueError("there is no url to download from")
    raise failure


def _from_url(
    url: str,
    sources: Sources,
    task: Task,
    use: Callable[[Incoming, Received, str], T],
    *,
    pinned: Blob | None,
    exact: bool,
    arrived: Callable[[], T | None],
) -> T:
    absolute = absolute_url(url, sources.base_directory)
    # bytes of different urls may only be joined where a digest tells whether they belong together
    name = str(pinned.digest) if pinned else absolute
    with sources.store.incoming(name) as incoming:
        if (found := arrived()) is not None:
            return found
        used: list[T] = []

        def accept(received: Received) -> None:
            through = f" (through {received.via})" if received.via else ""
            used.append(use(incoming, received, redact_text(url) + through))

        try:
            sources.downloader.download(
                [absolute], incoming, task, size=pinned.size if pinned and exact else None, accept=accept
            )
        except (SourceError, IntegrityError):
            # whoever goes on with these bytes counts them again
            task.advance(-incoming.offset)
            raise
        return used[0]


def admit_exactly(incoming: Incoming, want: Digest, size: int | None, where: str) -> Blob:
    """Admit a finished download that is what was promised; for a `use` of `from_first_good_url`.

    Arguments:
        size: the promised bytes, or None where nothing was said of them.

    Raises IntegrityError for other bytes, which stay where they are for whoever brought them to drop.
    """
    got = incoming.digest(want.algorithm)
    if got != want:
        raise _other_bytes(where, want, got)
    if size is not None and incoming.offset != size:
        raise IntegrityError(
            ErrorId.UPSTREAM_CHANGED,
            "has another size than was promised",
            where=where,
            remedy="Ask the publisher; the digest and the size that are promised do not belong together.",
            want=f"{size} bytes",
            got=f"{incoming.offset} bytes",
        )
    return incoming.commit(want)


def file_fetches(artifacts: Sequence[FileArtifact]) -> tuple[Fetch, ...]:
    """Return one fetch per download, in the order of the artifacts; a blob that two downloads hold is fetched once."""
    groups: dict[Blob, list[FileArtifact]] = {}
    for artifact in artifacts:
        groups.setdefault(artifact.download, []).append(artifact)
    provided: set[Blob] = set()
    fetches = []
    for download, group in groups.items():
        needed = [artifact for artifact in group if artifact.content not in provided]
        provides = tuple(dict.fromkeys(artifact.content for artifact in needed))
        if not provides:
            continue
        provided.update(provides)
        work = FileFetch(
            key=needed[0].key,
            urls=tuple(dict.fromkeys(url for artifact in needed for url in artifact.urls)),
            download=download,
            whole=any(not artifact.member for artifact in needed),
            members=tuple(dict.fromkeys((artifact.member, artifact.content) for artifact in needed if artifact.member)),
        )
        fetches.append(
            Fetch(
                label=needed[0].key if len(needed) == 1 else f"{needed[0].key} and {len(needed) - 1} more",
                provides=provides,
                transfer_bytes=download.size,
                scratch_bytes=0 if work.whole else download.size,
                artifacts=tuple(artifact.key for artifact in artifacts if artifact.content in provides),
                detail=work,
            )
        )
    return tuple(fetches)


def fetch_file(work: FileFetch, sources: Sources, task: Task) -> None:
    """Bring what is needed of a download into the store, verified; nothing when all of it is there.

    An archive that was re-packed upstream is good as long as its members are the pinned ones.

    Raises SourceError, StorageError, IntegrityError (UPSTREAM_CHANGED: no url has the pinned bytes any more).
    """
    has = sources.store.has
    members = tuple((name, blob) for name, blob in work.members if not has(blob))
    whole = work.whole and not has(work.download)

    def arrived() -> bool | None:
        missing = [blob for _, blob in members if not has(blob)]
        return None if missing or (whole and not has(work.download)) else True

    if arrived():
        return
    if not whole and has(work.download) and _taken_from_store(work, members, sources):
        return

    def use(incoming: Incoming, received: Received, where: str) -> bool:
        del received
        got = incoming.digest("sha256")
        if whole and got != work.download.digest:
            raise _other_bytes(where, work.download.digest, got)
        if members:
            try:
                with incoming.open() as file:
                    _admit_members(file, members, sources, where)
            except (IntegrityError, SourceError, ManifestError) as error:
                raise _other_bytes(where, work.download.digest, got, f": {error.what}") from error
        if whole:
            incoming.commit(work.download.digest, size=work.download.size)
        else:
            incoming.discard()
        if got != work.download.digest:
            task.note(f"{where}: the archive was packed anew upstream; what is taken out of it is unchanged")
        return True

    try:
        from_first_good_url(work.urls, sources, task, use, pinned=work.download, exact=whole, arrived=arrived)
    except IntegrityError as error:
        what = error.what.removesuffix(f" (want {error.want}, got {error.got})")
        raise IntegrityError(
            ErrorId.UPSTREAM_CHANGED,
            f"is no longer what was locked for {work.key}: {what}",
            where=error.where or redact_text(work.urls[0]),
            remedy=f"Find out why; if the new bytes are right, pin them: `bundler lock --update '{work.key}'`.",
            want=error.want,
            got=error.got,
        ) from error


def _taken_from_store(work: FileFetch, members: Sequence[tuple[str, Blob]], sources: Sources) -> bool:
    """Take members out of a download that another entry has placed; False, and it is dropped, when it is damaged."""
    try:
        with sources.store.path(work.download).open("rb") as file:
            _admit_members(file, members, sources, redact_text(work.urls[0]))
    except (IntegrityError, SourceError, ManifestError, OSError):
        sources.store.drop(work.download)
        return False
    return True


def _admit_members(file: BinaryIO, members: Sequence[tuple[str, Blob]], sources: Sources, where: str) -> None:
    wanted: dict[str, list[Blob]] = {}
    for name, blob in members:
        wanted.setdefault(name, []).append(blob)
    for member, chunks in read_members(file, tuple(wanted), where=where):
        sources.store.admit(chunks, *(blob.digest for blob in wanted[member.name]))


def _other_bytes(where: str, want: Digest, got: Digest, why: str = "") -> IntegrityError:
    return IntegrityError(
        ErrorId.UPSTREAM_CHANGED,
        f"it has other bytes{why}",
        where=where,
        remedy="Compare it with what the publisher announces.",
        want=str(want),
        got=str(got),
    )
