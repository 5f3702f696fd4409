"""Gets files from their urls into the store, checked, and takes members out of archives.

Owns what counts as wrong bytes of a file; what it is pinned to is decided in `bundler.kinds.files.locking`, which url
is asked next in `bundler.kinds.downloading`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, BinaryIO

from bundler.errors import IntegrityError, ManifestError, SourceError
from bundler.kinds.base import Fetch
from bundler.kinds.downloading import Pin, from_first_good_url, no_longer_locked, other_bytes
from bundler.net.http.web_page import is_unexpected_page, page_error
from bundler.net.redact import redact_text
from bundler.translation import tr

if TYPE_CHECKING:
    from collections.abc import Sequence

    from bundler.kinds.base import Sources
    from bundler.model.digest import Blob
    from bundler.model.file_artifact import FileArtifact
    from bundler.model.progress import Task
    from bundler.net.interface import Received
    from bundler.store.interface import Incoming


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


def file_fetches(artifacts: Sequence[FileArtifact]) -> tuple[Fetch, ...]:
    """Return one fetch per download, in the order of the artifacts; a blob that two downloads hold is fetched once."""
    groups: dict[Blob, list[FileArtifact]] = {}
    holders: dict[Blob, list[int]] = {}
    for number, artifact in enumerate(artifacts):
        groups.setdefault(artifact.download, []).append(artifact)
        holders.setdefault(artifact.content, []).append(number)
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
                label=needed[0].key
                if len(needed) == 1
                else tr("{key} and {count} more", key=needed[0].key, count=len(needed) - 1),
                provides=provides,
                transfer_bytes=download.size,
                scratch_bytes=0 if work.whole else download.size,
                artifacts=tuple(
                    artifacts[number].key for number in sorted(number for blob in provides for number in holders[blob])
                ),
                detail=work,
            )
        )
    return tuple(fetches)


def fetch_file(work: FileFetch, sources: Sources, task: Task) -> None:
    """Bring what is needed of a download into the store, verified; nothing when all of it is there.

    An archive that was re-packed upstream is good as long as its members are the pinned ones.

    Raises SourceError, StorageError, IntegrityError (UPSTREAM_CHANGED: no url has the pinned bytes any more),
    ToolMissingError (an archive compressed with zstd).
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
        got = incoming.digest("sha256")
        if got != work.download.digest and is_unexpected_page(received.media_type, work.key, *work.urls):
            raise page_error(where)
        if whole and got != work.download.digest:
            raise other_bytes(where, work.download.digest, got)
        if members:
            try:
                with incoming.open() as file:
                    _admit_members(file, members, sources, where)
            except (IntegrityError, SourceError, ManifestError) as error:
                raise other_bytes(where, work.download.digest, got, f": {error.sentence}") from error
        if whole:
            incoming.commit(work.download.digest, size=work.download.size)
        else:
            incoming.discard()
        if got != work.download.digest:
            task.note(
                tr("{where}: the archive was packed anew upstream; what is taken out of it is unchanged", where=where)
            )
        return True

    try:
        from_first_good_url(work.urls, sources, task, use, pin=Pin(work.download, exact=whole), arrived=arrived)
    except IntegrityError as error:
        raise no_longer_locked(error, work.key, redact_text(work.urls[0])) from error


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
    from bundler.upstream_archive.members import read_members  # most downloads are no archives

    wanted: dict[str, list[Blob]] = {}
    for name, blob in members:
        wanted.setdefault(name, []).append(blob)
    for member, chunks in read_members(file, tuple(wanted), where=where):
        sources.store.admit(chunks, *(blob.digest for blob in wanted[member.name]))
