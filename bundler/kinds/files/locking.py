"""Pins what an entry of `files:` asks for: downloads it, holds it to what is promised, keeps what lands.

What a download is held to is decided in `bundler.kinds.promise`. docs/design.md, 4.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from bundler.errors import ErrorId, SourceError
from bundler.kinds.checksum_text import bare_digest
from bundler.kinds.downloading import from_first_good_url
from bundler.kinds.promise import promise_of
from bundler.model.artifact import HeldTo
from bundler.model.bundle_path import encoding_problem
from bundler.model.digest import Blob
from bundler.model.file_artifact import FileArtifact
from bundler.net.redact import redact_text
from bundler.translation import tr
from bundler.upstream_archive.members import read_members
from bundler.upstream_archive.stream import unsafe

if TYPE_CHECKING:
    from bundler.kinds.base import Sources
    from bundler.kinds.files.entry import Download, FileEntry
    from bundler.kinds.promise import Promise
    from bundler.model.bundle_path import BundlePath
    from bundler.model.progress import Task
    from bundler.net.interface import Document, Received
    from bundler.store.interface import Incoming


@dataclass(frozen=True, slots=True)
class _Arrived:
    """A finished download: its bytes, what is known of it, and what messages call its source."""

    incoming: Incoming
    received: Received
    where: str


def pin_download(download: Download, entry: FileEntry, sources: Sources, task: Task) -> tuple[FileArtifact, ...]:
    """Download one variant of an entry and return its files, in the order of their paths.

    Raises SourceError, StorageError, IntegrityError (CHECKSUM_MISMATCH), ManifestError (MEMBER_MISSING),
    ToolMissingError (an archive compressed with zstd).
    """

    def accept(document: Document) -> None:
        if download.checksum_path is not None:
            _require_bare(document, download)

    promise = promise_of(download.source, sources, accept)

    def use(incoming: Incoming, received: Received, where: str) -> list[FileArtifact]:
        arrived = _Arrived(incoming, received, where)
        promise.require(incoming, received, where, *download.urls, *download.paths)
        if download.is_whole:
            return [_pin_whole(download, entry, promise, arrived)]
        return _pin_members(download, entry, promise, arrived, sources)

    artifacts = from_first_good_url(download.urls, sources, task, use)
    if promise.document is not None and download.checksum_path is not None:
        artifacts.append(_pin_checksum(download, download.checksum_path, promise.document, entry, sources))
    return tuple(sorted(artifacts, key=lambda artifact: artifact.path.encode()))


def _require_bare(document: Document, download: Download) -> None:
    try:
        bare_digest(document.data)
    except ValueError as error:
        raise SourceError(
            ErrorId.SOURCE_INVALID,
            tr("the checksum file {error}", error=error),
            where=redact_text(download.checksum_url),
            remedy=tr(
                "A program that compares the whole file, as keadm does, would refuse "
                "{urls}: leave 'checksum_path' out, and place a file that holds only the hex "
                "digits by an entry of its own.",
                urls=redact_text(download.urls[0]),
            ),
        ) from error


def _pin_whole(download: Download, entry: FileEntry, promise: Promise, arrived: _Arrived) -> FileArtifact:
    content = arrived.incoming.commit()
    if content.digest == download.digest:
        # one value, not two equal ones: manifests list very many
        content = Blob(download.digest, content.size)
    [take] = download.takes
    path = take.target("")
    if path is None:
        raise ValueError(tr("{path} takes a member of a download that lands whole", path=take.path))
    return FileArtifact(
        path=path,
        content=content,
        urls=download.urls,
        download=content,
        held_to=promise.kept_by(arrived.received.via),
        mode=entry.mode or 0o644,
        date=arrived.received.last_modified,
        roles=entry.roles,
        platforms=download.platforms,
    )


def _pin_members(
    download: Download, entry: FileEntry, promise: Promise, arrived: _Arrived, sources: Sources
) -> list[FileArtifact]:
    packed = Blob(arrived.incoming.digest("sha256"), arrived.received.size)
    artifacts = []
    with arrived.incoming.open() as file:
        for member, chunks in read_members(file, [take.member for take in download.takes], where=arrived.where):
            paths = _paths(download, member.name, arrived.where)
            content = sources.store.admit(chunks)
            artifacts += [
                FileArtifact(
                    path=path,
                    content=content,
                    urls=download.urls,
                    download=packed,
                    held_to=promise.kept_by(arrived.received.via),
                    member=member.name,
                    mode=entry.mode or (0o755 if member.executable else 0o644),
                    date=member.mtime,
                    roles=entry.roles,
                    platforms=download.platforms,
                )
                for path in paths
            ]
    arrived.incoming.discard()
    return artifacts


def _paths(download: Download, name: str, where: str) -> list[BundlePath]:
    try:
        return [path for take in download.takes if (path := take.target(name)) is not None]
    except ValueError as error:
        if problem := encoding_problem(name):
            raise SourceError(
                ErrorId.SOURCE_INVALID,
                tr(
                    "the member {name} cannot be placed under its own name, which {problem}",
                    name=ascii(name)[1:-1],
                    problem=problem,
                ),
                where=where,
                remedy=tr(
                    "Take the members that are needed by their names, each under a path of its own, or have the "
                    "archive made anew with names in UTF-8 (normal form C)."
                ),
            ) from error
        raise unsafe(tr("the member {name!r} cannot be placed: {error}", name=name, error=error), where) from error


def _pin_checksum(
    download: Download, path: BundlePath, document: Document, entry: FileEntry, sources: Sources
) -> FileArtifact:
    content = sources.store.put(document.data)
    return FileArtifact(
        path=path,
        content=content,
        urls=(download.checksum_url,),
        download=content,
        held_to=HeldTo("first-use", via=document.via),
        date=document.last_modified,
        roles=entry.roles,
        platforms=download.platforms,
    )
