"""Files: entries of `files:` in the manifest, pinned one by one, placed where the manifest says. docs/design.md, 3, 4.

Owns how the parts fit and placing. Reading the entries is `bundler.kinds.files.reading`, pinning
`bundler.kinds.files.locking`, getting the bytes `bundler.kinds.files.fetching`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from bundler.errors import ErrorId, ManifestError
from bundler.kinds.base import Estimate, Fetch, Sources
from bundler.kinds.files.reading import read_file_entry
from bundler.kinds.files.schema import FILE_SCHEMA
from bundler.model.about import FileAbout
from bundler.model.digest import Blob
from bundler.model.file_artifact import FileArtifact
from bundler.model.placement import Placement
from bundler.model.source_url import absolute_url
from bundler.translation import tr

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from bundler.kinds.files.entry import FileEntry
    from bundler.model.json_value import Json
    from bundler.model.lock import LockedEntry
    from bundler.model.platform import Platform
    from bundler.model.progress import Task
    from bundler.model.scope import Scope
    from bundler.model.source_text import Node


class FilesKind:
    """The kind `files`."""

    @property
    def name(self) -> str:
        """The key in the manifest."""
        return "files"

    @property
    def schema(self) -> Mapping[str, Json]:
        """The JSON schema of one item."""
        return FILE_SCHEMA

    def read(self, node: Node, scope: Scope) -> FileEntry | None:
        """Read one item; see `EntryReader`."""
        return read_file_entry(node, scope)

    def check(self, entries: Sequence[FileEntry], scope: Scope) -> None:
        """Find nothing: that paths differ is checked for all kinds together, by their targets."""

    def estimate(self, entry: FileEntry, sources: Sources, task: Task) -> Estimate:
        """Ask for the sizes of the downloads; nothing is moved."""
        del task
        fetches, unknown = [], []
        for download in entry.downloads:
            label, path = download.paths[0], download.checksum_path
            # a checksum file that is placed is a download like any other
            documents = () if path is None else ((path, (download.checksum_url,), (path,), True),)
            for name, urls, paths, is_whole in ((label, download.urls, download.paths, download.is_whole), *documents):
                size = sources.downloader.size([absolute_url(url, sources.base_directory) for url in urls])
                if size is None:
                    unknown.append(name)
                    continue
                known = download.digest if is_whole and name == label else None
                provides = (Blob(known, size),) if known and known.algorithm == "sha256" else ()
                fetches.append(Fetch(name, provides, size, 0 if is_whole else size, paths, None, origin=urls[0]))
        return Estimate(tuple(fetches), tuple(unknown))

    def lock(
        self,
        entry: FileEntry,
        sources: Sources,
        task: Task,
        *,
        kept: Sequence[FileArtifact] = (),
        moved: Sequence[FileArtifact] = (),
    ) -> tuple[FileArtifact, ...]:
        """Download everything that the entry asks for, hold it to what is promised, keep what lands.

        An entry is one thing, of one release: it is pinned as a whole, and no earlier pin of it is kept.

        Raises SourceError, StorageError, IntegrityError (CHECKSUM_MISMATCH), ManifestError (a member is missing, or
        two members land on one path).
        """
        from bundler.kinds.files.locking import pin_download

        del kept, moved
        artifacts = [
            artifact for download in entry.downloads for artifact in pin_download(download, entry, sources, task)
        ]
        seen: dict[str, FileArtifact] = {}
        for artifact in artifacts:
            if (other := seen.setdefault(artifact.path.collision_key, artifact)) is not artifact:
                raise ManifestError(
                    ErrorId.MANIFEST_INVALID,
                    tr(
                        "{first} and {second} both land on {path}",
                        first=other.member or other.path,
                        second=artifact.member or artifact.path,
                        path=artifact.path,
                    ),
                    where=str(entry.position),
                    remedy=tr("Let the members land in different directories, or take fewer of them."),
                )
        return tuple(artifacts)

    def disagreements(
        self, entry: FileEntry, pinned: Sequence[FileArtifact], platforms: Sequence[Platform]
    ) -> Iterable[str]:
        """Hold every file against what asks for it; see `Kind`."""
        from bundler.kinds.files.disagreements import file_disagreements

        return file_disagreements(entry, pinned, platforms)

    def narrow(self, artifact: FileArtifact, platforms: Sequence[Platform], sources: Sources) -> FileArtifact | None:
        """Return the artifact when any of its platforms is among these; files are never split."""
        del sources
        if not artifact.platforms or any(own.matches(wanted) for own in artifact.platforms for wanted in platforms):
            return artifact
        return None

    def fetches(self, artifacts: Sequence[FileArtifact]) -> tuple[Fetch, ...]:
        """Return one fetch per download, however many files it holds."""
        from bundler.kinds.files.fetching import file_fetches

        return file_fetches(artifacts)

    def fetch(self, fetch: Fetch, sources: Sources, task: Task) -> None:
        """Bring what is needed of one download into the store; see `fetch_file`."""
        from bundler.kinds.files.fetching import FileFetch, fetch_file

        if not isinstance(fetch.detail, FileFetch):
            raise TypeError(f"{fetch.label} is no fetch of files")
        fetch_file(fetch.detail, sources, task)

    def place(
        self, entries: Sequence[LockedEntry], platforms: Sequence[Platform], sources: Sources
    ) -> Sequence[Placement]:
        """Return every file at its path."""
        del platforms, sources
        return [
            _placement(artifact, self.name)
            for entry in entries
            for artifact in entry.artifacts
            if isinstance(artifact, FileArtifact)
        ]


def _placement(artifact: FileArtifact, kind: str) -> Placement:
    return Placement(
        path=artifact.path,
        content=artifact.content,
        kind=kind,
        mode=artifact.mode,
        mtime=artifact.date,
        roles=artifact.roles,
        platforms=artifact.platforms,
        about=FileAbout(artifact.urls[0], artifact.held_to, artifact.member),
    )
