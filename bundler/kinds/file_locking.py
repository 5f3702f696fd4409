"""Pins what an entry of `files:` asks for: downloads it, holds it to what is promised, keeps what lands.

Owns the order of trust: a digest in the manifest, a published checksum, else first use. Design section 4.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from bundler.archive.forward_stream import unsafe
from bundler.archive.members import read_members
from bundler.errors import ErrorId, IntegrityError, SourceError
from bundler.kinds.file_fetching import from_first_good_url
from bundler.model.artifact import HeldTo
from bundler.model.checksum_text import bare_digest, published_digest
from bundler.model.digest import Blob, Digest
from bundler.model.file_artifact import FileArtifact
from bundler.model.source_url import absolute_url, last_segment

if TYPE_CHECKING:
    from bundler.kinds.base import Sources
    from bundler.model.bundle_path import BundlePath
    from bundler.model.file_entry import Download, FileEntry
    from bundler.model.progress import Task
    from bundler.net.interface import Document, Received
    from bundler.store.interface import Incoming

# `sha256sum` over every file of a large release
MAX_CHECKSUM_BYTES = 1024 * 1024


@dataclass(frozen=True, slots=True)
class _Promise:
    """What a download is held to: a digest or None, who says so, and the checksum file when there is one."""

    digest: Digest | None
    held_to: HeldTo
    document: Document | None = None

    def kept_by(self, via: str) -> HeldTo:
        """Return what vouched for bytes that came through this mirror (its prefix, or "")."""
        return HeldTo(self.held_to.by, self.held_to.detail, via)


def pin_download(download: Download, entry: FileEntry, sources: Sources, task: Task) -> tuple[FileArtifact, ...]:
    """Download one variant of an entry and return its files, in the order of their paths.

    Raises SourceError, StorageError, IntegrityError (CHECKSUM_MISMATCH), ManifestError (MEMBER_MISSING).
    """
    promise = _promise(download, sources)

    def use(incoming: Incoming, received: Received, url: str) -> list[FileArtifact]:
        if download.is_whole:
            return [_pin_whole(download, entry, promise, incoming, received, url)]
        return _pin_members(download, entry, promise, incoming, received, url, sources)

    artifacts = from_first_good_url(download.urls, sources, task, use)
    if promise.document is not None and download.checksum_path is not None:
        artifacts.append(_pin_checksum(download, download.checksum_path, promise.document, entry, sources))
    return tuple(sorted(artifacts, key=lambda artifact: artifact.path.encode()))


def _promise(download: Download, sources: Sources) -> _Promise:
    if download.digest is not None:
        return _Promise(download.digest, HeldTo("manifest"))
    if not download.checksum_url:
        return _Promise(None, HeldTo("first-use"))
    url = absolute_url(download.checksum_url, sources.base_directory)
    document = sources.downloader.read(url, max_bytes=MAX_CHECKSUM_BYTES)
    try:
        digest = published_digest(document.data, last_segment(download.urls[0]))
    except ValueError as error:
        raise SourceError(
            ErrorId.SOURCE_INVALID,
            f"the checksum file {error}",
            where=download.checksum_url,
            remedy="Correct 'checksum_url', or write the digest itself as 'sha256' or 'sha512'.",
        ) from error
    if download.checksum_path is not None:
        _require_bare(document, download)
    return _Promise(digest, HeldTo("published-checksum", download.checksum_url), document)


def _require_bare(document: Document, download: Download) -> None:
    try:
        bare_digest(document.data)
    except ValueError as error:
        raise SourceError(
            ErrorId.SOURCE_INVALID,
            f"the checksum file {error}",
            where=download.checksum_url,
            remedy=f"A program that compares the whole file, as keadm does, would refuse {download.urls[0]}: leave "
            f"'checksum_path' out, and place a file that holds only the hex digits by an entry of its own.",
        ) from error


def _mismatch(url: str, promise: _Promise, want: str, got: str) -> IntegrityError:
    where = promise.held_to.detail or "the manifest"
    return IntegrityError(
        ErrorId.CHECKSUM_MISMATCH,
        f"the download is not what {where} promises",
        where=url,
        remedy="Try again later or from elsewhere; if it stays so, ask the publisher which of the two is right.",
        want=want,
        got=got,
    )


def _pin_whole(
    download: Download, entry: FileEntry, promise: _Promise, incoming: Incoming, received: Received, url: str
) -> FileArtifact:
    try:
        content = incoming.commit(*([promise.digest] if promise.digest else []))
    except IntegrityError as error:
        raise _mismatch(url, promise, error.want, error.got) from error
    [take] = download.takes
    path = take.target("")
    if path is None:
        raise ValueError(f"{take.path} takes a member of a download that lands whole")
    return FileArtifact(
        path=path,
        content=content,
        urls=download.urls,
        download=content,
        held_to=promise.kept_by(received.via),
        mode=entry.mode or 0o644,
        date=received.last_modified,
        roles=entry.roles,
        platforms=download.platforms,
    )


def _pin_members(
    download: Download,
    entry: FileEntry,
    promise: _Promise,
    incoming: Incoming,
    received: Received,
    url: str,
    sources: Sources,
) -> list[FileArtifact]:
    if promise.digest and (got := incoming.digest(promise.digest.algorithm)) != promise.digest:
        raise _mismatch(url, promise, str(promise.digest), str(got))
    packed = Blob(incoming.digest("sha256"), received.size)
    artifacts = []
    with incoming.open() as file:
        for member, chunks in read_members(file, [take.member for take in download.takes], where=url):
            paths = _paths(download, member.name, url)
            content = sources.store.admit(chunks)
            artifacts += [
                FileArtifact(
                    path=path,
                    content=content,
                    urls=download.urls,
                    download=packed,
                    held_to=promise.kept_by(received.via),
                    member=member.name,
                    mode=entry.mode or (0o755 if member.executable else 0o644),
                    date=member.mtime,
                    roles=entry.roles,
                    platforms=download.platforms,
                )
                for path in paths
            ]
    incoming.discard()
    return artifacts


def _paths(download: Download, name: str, url: str) -> list[BundlePath]:
    try:
        return [path for take in download.takes if (path := take.target(name)) is not None]
    except ValueError as error:
        raise unsafe(f"the member {name!r} cannot be placed: {error}", url) from error


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
