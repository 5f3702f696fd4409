"""Names of RPM packages: name, epoch, version, release, architecture. Refuses to order versions (libsolv does)."""

from __future__ import annotations

import re
from dataclasses import dataclass

from bundler.translation import tr

_PART = re.compile(r"[^\s/:]+")


@dataclass(frozen=True, slots=True, order=True)
class Nevra:
    """One package's full name; ValueError when a part is empty or holds blanks, slashes, colons or unprintable ones."""

    name: str
    epoch: int
    version: str
    release: str
    arch: str

    def __post_init__(self) -> None:
        for part in (self.name, self.version, self.release, self.arch):
            if not (_PART.fullmatch(part) and part.isprintable()):
                raise ValueError(tr("{part!r} cannot be part of a package's name", part=part))
        if "-" in self.version or "-" in self.release or self.epoch < 0:
            raise ValueError(
                tr("{version!r}-{release!r} is not a version and release", version=self.version, release=self.release)
            )

    def __str__(self) -> str:
        return f"{self.name}-{self.evr}.{self.arch}"

    @property
    def evr(self) -> str:
        """`[epoch:]version-release`; an epoch of 0 is left out, as dnf does."""
        epoch = f"{self.epoch}:" if self.epoch else ""
        return f"{epoch}{self.version}-{self.release}"

    @property
    def file_name(self) -> str:
        """NAME-VERSION-RELEASE.ARCH.rpm."""
        return f"{self.name}-{self.version}-{self.release}.{self.arch}.rpm"

    @classmethod
    def parse(cls, text: str) -> Nevra:
        """Parse `name-[epoch:]version-release.arch`, as `rpm -qa` and dnf print it; ValueError for anything else."""
        rest, dot, arch = text.rpartition(".")
        head, _, release = rest.rpartition("-")
        name, dash, evr = head.rpartition("-")
        epoch, colon, version = evr.rpartition(":")
        if not (dot and dash) or (colon and not epoch.isdigit()):
            raise ValueError(tr("{text!r} is not NAME-[EPOCH:]VERSION-RELEASE.ARCH", text=text))
        return cls(name, int(epoch) if colon else 0, version, release, arch)
