"""An entry of `files:` as a value: what is downloaded for which platforms, and what of it lands where."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from bundler.kinds.source import Source
from bundler.model.bundle_path import BundlePath
from bundler.translation import tr

if TYPE_CHECKING:
    from bundler.model.digest import Digest
    from bundler.model.json_value import Json
    from bundler.model.platform import Platform
    from bundler.model.source_text import Position

WHOLE_ARCHIVE = "./"


@dataclass(frozen=True, slots=True)
class Take:
    """One thing that is taken of a download.

    Arguments:
        member: "" for the download itself, the name of a member, or a directory of the archive with a slash at its
            end (`./`: the archive's root).
        path: where it lands; for a directory the one to lay its content into, with a slash at its end.
    """

    member: str
    path: str

    def __post_init__(self) -> None:
        if self.is_subtree != self.path.endswith("/"):
            raise ValueError(tr("a directory (with a slash at its end) lands in a directory, a file in a file"))

    @property
    def is_subtree(self) -> bool:
        """Whether it is a directory of an archive."""
        return self.member.endswith("/")

    def target(self, name: str) -> BundlePath | None:
        """Return where this member lands, None when it is not meant; ValueError when its name cannot be kept."""
        if not self.is_subtree:
            return BundlePath(self.path) if name == self.member else None
        if self.member == WHOLE_ARCHIVE:
            return BundlePath(self.path + name)
        return BundlePath(self.path + name.removeprefix(self.member)) if name.startswith(self.member) else None


@dataclass(frozen=True, slots=True)
class Download:
    """One download and what it is held to; every string expanded.

    Arguments:
        platforms: whom it is for; empty for any.
        urls: the preferred one first; canonical or relative to the manifest.
        takes: at least one; a whole download is taken alone.
        digest: what the manifest promises of the download.
        checksum_url: where its checksum is published, or "".
        checksum_path: where that checksum file itself lands, for whoever compares the whole of it (keadm).
    """

    platforms: tuple[Platform, ...]
    urls: tuple[str, ...]
    takes: tuple[Take, ...]
    digest: Digest | None = None
    checksum_url: str = ""
    checksum_path: BundlePath | None = None

    @property
    def source(self) -> Source:
        """Where it comes from and what it is held to."""
        return Source(self.urls, self.digest, self.checksum_url)

    @property
    def is_whole(self) -> bool:
        """Whether the download itself lands in the bundle."""
        return any(not take.member for take in self.takes)

    @property
    def paths(self) -> tuple[str, ...]:
        """Every path that it lands on, directories with a slash at their end."""
        return (*(take.path for take in self.takes), *([self.checksum_path] if self.checksum_path else []))

    def meaning(self) -> Json:
        """Return what is asked for."""
        return {
            **self.source.meaning(),
            "platforms": [str(platform) for platform in self.platforms],
            "takes": [{"member": take.member, "path": take.path} for take in self.takes],
            "checksum_path": self.checksum_path,
        }


@dataclass(frozen=True, slots=True)
class FileEntry:
    """One list item.

    Arguments:
        id: its path as written; for several members, the path of the first of them.
        downloads: one per platform where its strings name one, else a single one.
        mode: permissions of every file it lands; None for 0644, and for a member's own.
    """

    id: str
    position: Position
    downloads: tuple[Download, ...]
    mode: int | None
    roles: tuple[str, ...]

    @property
    def key(self) -> str:
        """The first path that it lands on."""
        return self.downloads[0].paths[0]

    def meaning(self) -> Json:
        """Return what is asked for."""
        return {
            "downloads": [download.meaning() for download in self.downloads],
            "mode": None if self.mode is None else f"{self.mode:04o}",
            "roles": list(self.roles),
        }

    def targets(self) -> tuple[BundlePath, ...]:
        """Return the files that it places for certain; what a subtree holds is only known once it is locked."""
        return tuple(
            BundlePath(path) for download in self.downloads for path in download.paths if not path.endswith("/")
        )
