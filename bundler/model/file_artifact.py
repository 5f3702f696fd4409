"""A file as the lock pins it (docs/design.md, 4): one per file of the bundle, whatever it was taken out of."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from bundler.model.artifact import HeldTo
from bundler.model.bundle_path import BundlePath
from bundler.model.digest import Blob
from bundler.model.json_value import want_count, want_text
from bundler.model.manifest import ROLES
from bundler.model.placement import MODES
from bundler.model.shared_values import shared_platforms, shared_roles
from bundler.translation import tr

if TYPE_CHECKING:
    from collections.abc import Mapping

    from bundler.model.json_value import Json
    from bundler.model.platform import Platform


@dataclass(frozen=True, slots=True)
class FileArtifact:
    """A pinned file.

    Arguments:
        path: where it lies in the bundle.
        content: its bytes there.
        urls: where the download comes from, as in the manifest.
        download: what was downloaded; the content itself unless that is a member.
        held_to: what vouched for the download.
        member: which member of the download it is, or "" for the download itself.
        mode: 0o644 or 0o755.
        date: the download's Last-Modified or the member's own date, in seconds since the epoch, or None.
        roles, platforms: who needs it; empty platforms mean any.

    Raises ValueError when these contradict each other.
    """

    path: BundlePath
    content: Blob
    urls: tuple[str, ...]
    download: Blob
    held_to: HeldTo
    member: str = ""
    mode: int = 0o644
    date: int | None = None
    roles: tuple[str, ...] = ROLES
    platforms: tuple[Platform, ...] = ()

    def __post_init__(self) -> None:
        if not self.urls:
            raise ValueError(tr("{path} has no url", path=self.path))
        if not self.member and self.content != self.download:
            raise ValueError(tr("{path} is a whole download and yet has other bytes than it", path=self.path))
        if self.mode not in MODES:
            raise ValueError(tr("mode {mode:o} of {path} is neither 644 nor 755", mode=self.mode, path=self.path))
        if self.date is not None and self.date < 0:
            raise ValueError(tr("{path} is dated before 1970", path=self.path))
        if unknown := set(self.roles) - set(ROLES):
            raise ValueError(tr("{path} has unknown roles {unknown}", path=self.path, unknown=sorted(unknown)))

    @property
    def key(self) -> str:
        """The path in the bundle."""
        return str(self.path)

    @property
    def version(self) -> str:
        """The digest of the file."""
        return str(self.content.digest)

    @property
    def size(self) -> int:
        """Bytes of the file."""
        return self.content.size

    @property
    def blobs(self) -> tuple[Blob, ...]:
        """The file itself; what it was taken out of is not needed any more."""
        return (self.content,)

    @property
    def placed(self) -> Mapping[BundlePath, Blob]:
        """The file at its path."""
        return {self.path: self.content}

    def encode(self) -> Json:
        """Return its JSON object in the lock."""
        return {
            "path": str(self.path),
            **self.content.encode(),
            "download": {"urls": list(self.urls), **self.download.encode()},
            **({"member": self.member} if self.member else {}),
            "mode": f"{self.mode:04o}",
            **({"date": self.date} if self.date is not None else {}),
            "roles": list(self.roles),
            "platforms": [str(platform) for platform in self.platforms],
            "held_to": self.held_to.encode(),
        }

    @classmethod
    def decode(cls, value: Any) -> FileArtifact:
        """Read what `encode` wrote; ValueError, KeyError or TypeError when it is something else."""
        content, download = Blob.decode(value), Blob.decode(value["download"])
        date = value.get("date")
        return cls(
            path=BundlePath(want_text(value["path"])),
            content=content,
            urls=tuple(want_text(url) for url in value["download"]["urls"]),
            # one value, not two equal ones: locks hold very many
            download=content if content == download else download,
            held_to=HeldTo.decode(value["held_to"]),
            member=want_text(value.get("member", "")),
            mode=int(want_text(value["mode"]), 8),
            date=None if date is None else want_count(date),
            roles=shared_roles(tuple(value["roles"])),
            platforms=shared_platforms(tuple(value["platforms"])),
        )
