"""Do the pins of an entry of `files:` answer it? Decides from the two alone, before anything is fetched.

What a subtree of an archive holds is known to its lock only: there it is checked that each file lies where the member
belongs. docs/formats.md, "Lock".
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING

from bundler.kinds.differences import differences
from bundler.model.artifact import HeldTo
from bundler.translation import tr

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from bundler.kinds.files.entry import Download, FileEntry, Take
    from bundler.model.file_artifact import FileArtifact
    from bundler.model.platform import Platform


@dataclass(frozen=True, slots=True)
class _WantedFile:
    """One file, or one subtree, that an entry asks for; `take` is None for the checksum file of a download."""

    download: Download
    take: Take | None

    @property
    def place(self) -> str:
        """Where it lands, with a slash at the end for a subtree."""
        return str(self.download.checksum_path) if self.take is None else self.take.path

    @property
    def urls(self) -> tuple[str, ...]:
        return (self.download.checksum_url,) if self.take is None else self.download.urls

    @property
    def held_to(self) -> HeldTo:
        """What has to vouch for the download, whatever mirror it came through."""
        return HeldTo("first-use") if self.take is None else self.download.source.held_to

    def answered_by(self, artifact: FileArtifact) -> bool:
        """Tell whether an artifact lies where this belongs."""
        if self.take is None or not self.take.is_subtree:
            return artifact.path == self.place
        try:
            return self.take.target(artifact.member) == artifact.path
        except ValueError:
            # such a member cannot be placed at all
            return False


def file_disagreements(
    entry: FileEntry, pinned: Sequence[FileArtifact], platforms: Sequence[Platform]
) -> Iterator[str]:
    """Yield, a line each, how files are not what an entry asks for; arguments as for `Kind.disagreements`."""
    wanted = [
        _WantedFile(download, take)
        for download in entry.downloads
        if _is_for(download, platforms)
        for take in (*download.takes, *([None] if download.checksum_path else []))
    ]
    single = {item.place: item for item in wanted if not item.place.endswith("/")}
    subtrees = [item for item in wanted if item.place.endswith("/")]
    answered: dict[_WantedFile, list[FileArtifact]] = {item: [] for item in wanted}
    for artifact in pinned:
        found = single.get(artifact.path) or next((item for item in subtrees if item.answered_by(artifact)), None)
        if found is None:
            yield tr("{path} is pinned and not asked for", path=artifact.path)
            continue
        answered[found].append(artifact)
        yield from (f"{artifact.path} {line}" for line in _differences(artifact, found, entry))
    yield from (tr("{place} is not pinned", place=item.place) for item, artifacts in answered.items() if not artifacts)
    yield from (
        tr("{path} is pinned more than once", path=path)
        for path in _repeated(item.path.collision_key for item in pinned)
    )
    yield from _contradictions(answered)


def _differences(artifact: FileArtifact, wanted: _WantedFile, entry: FileEntry) -> Iterator[str]:
    take = wanted.take
    # without a mode of the entry's own, a member has the one that it had in the archive
    own_mode = artifact.mode if take and take.member else 0o644
    mode = own_mode if take is None else entry.mode or own_mode
    compared: list[tuple[str, object, object]] = [
        ("mode", f"{mode:04o}", f"{artifact.mode:04o}"),
        ("roles", entry.roles, artifact.roles),
        ("platforms", wanted.download.platforms, artifact.platforms),
        ("urls", wanted.urls, artifact.urls),
        ("held_to", wanted.held_to, HeldTo(artifact.held_to.by, artifact.held_to.detail)),
    ]
    if take is None or not take.is_subtree:
        compared.append(("member", take.member if take else "", artifact.member))
    promised = wanted.download.digest
    if take is not None and promised is not None and promised.algorithm == artifact.download.digest.algorithm:
        compared.append(("download", promised, artifact.download.digest))
    return differences(compared)


def _contradictions(answered: dict[_WantedFile, list[FileArtifact]]) -> Iterator[str]:
    """Yield what cannot be true of one download: that it is of several contents, or a member of it is."""
    downloads: dict[Download, set[object]] = {}
    members: dict[tuple[Download, str], set[object]] = {}
    for wanted, artifacts in answered.items():
        for artifact in artifacts if wanted.take is not None else ():
            downloads.setdefault(wanted.download, set()).add(artifact.download)
            content = (artifact.content, artifact.date)
            members.setdefault((wanted.download, artifact.member), set()).add(content)
    for download, blobs in downloads.items():
        if len(blobs) > 1:
            yield tr(
                "{paths} and what lies beside it are pinned to different downloads of {urls}",
                paths=download.paths[0],
                urls=download.urls[0],
            )
    for (_, member), contents in members.items():
        if len(contents) > 1:
            yield tr("the member {member} is pinned to different contents", member=member)


def _repeated(keys: Iterable[str]) -> list[str]:
    return [key for key, count in Counter(keys).items() if count > 1]


def _is_for(download: Download, platforms: Sequence[Platform]) -> bool:
    return (
        not platforms
        or not download.platforms
        or any(own.matches(wanted) for own in download.platforms for wanted in platforms)
    )
