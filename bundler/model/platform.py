"""Platforms as OCI names them. Owns their text forms and the matching; refuses to detect the running machine."""

from __future__ import annotations

import re
from dataclasses import dataclass

from bundler.translation import tr

_PART = re.compile(r"[a-z0-9][a-z0-9._]*")
# containerd's platforms package: an absent variant means these
_DEFAULT_VARIANT = {"amd64": "v1", "arm64": "v8", "arm": "v7"}
# what `uname -m` prints on Linux (arch/*/Makefile, UTS_MACHINE) where that is not the word of GOARCH
_MACHINES = {
    "386": "i686",
    "amd64": "x86_64",
    "arm": "armv7l",
    "arm64": "aarch64",
    "loong64": "loongarch64",
    "mipsle": "mips",
    "mips64le": "mips64",
}
_ARM_MACHINES = {"v5": "armv5tel", "v6": "armv6l", "v8": "armv8l"}
# what images in the field call themselves, and containerd's platforms.Normalize understands (normalizeArch)
_FOREIGN_WORDS = {
    "x86_64": ("amd64", ""),
    "x86-64": ("amd64", ""),
    "i386": ("386", ""),
    "aarch64": ("arm64", ""),
    "armhf": ("arm", "v7"),
    "armel": ("arm", "v6"),
}
# Docker's and uname's words for the architectures of GOARCH
_ARCH_ALIASES = {"x86_64": "amd64", "aarch64": "arm64", "armhf": "arm", "i386": "386"}


@dataclass(frozen=True, slots=True, order=True)
class Platform:
    """`os/arch[/variant]`, for example linux/arm/v7; ValueError when a part is not a lower-case word."""

    os: str
    arch: str
    variant: str = ""

    def __post_init__(self) -> None:
        for part in (self.os, self.arch, *([self.variant] if self.variant else [])):
            if not _PART.fullmatch(part):
                raise ValueError(tr("{part!r} cannot be part of a platform; write for example linux/amd64", part=part))

    def __str__(self) -> str:
        return "/".join(part for part in (self.os, self.arch, self.variant) if part)

    @classmethod
    def parse(cls, text: str) -> Platform:
        """Parse `os/arch[/variant]`; ValueError, with the canonical word where an alias was used."""
        parts = text.split("/")
        if len(parts) not in (2, 3) or not all(parts):
            raise ValueError(
                tr("{text!r} is not a platform; write os/arch[/variant], for example linux/amd64", text=text)
            )
        if (canonical := _ARCH_ALIASES.get(parts[1])) is not None:
            raise ValueError(tr("{text!r}: the architecture is written {canonical}", text=text, canonical=canonical))
        return cls(*parts)

    @classmethod
    def understood(cls, os: str, arch: str, variant: str = "") -> Platform:
        """Return what an image of the field means by these words, in any case; ValueError where that is no platform."""
        arch, implied = _FOREIGN_WORDS.get(arch.lower(), (arch.lower(), ""))
        variant = variant.lower() or implied
        return cls(os.lower(), arch, f"v{variant}" if arch.startswith("arm") and variant.isdigit() else variant)

    @property
    def slug(self) -> str:
        """The form used in file names: linux-arm-v7."""
        return str(self).replace("/", "-")

    @property
    def machine(self) -> str:
        """What `uname -m` calls it: x86_64, aarch64, armv7l."""
        if self.arch == "arm" and self.variant in _ARM_MACHINES:
            return _ARM_MACHINES[self.variant]
        return _MACHINES.get(self.arch, self.arch)

    @property
    def normalized(self) -> Platform:
        """The platform with the variant that an absent one stands for left out (amd64/v1, arm64/v8, arm/v7)."""
        return Platform(self.os, self.arch) if self.variant == _DEFAULT_VARIANT.get(self.arch) else self

    def matches(self, wanted: Platform) -> bool:
        """Tell whether this offered platform is the wanted one, default variants being equal to absent ones."""
        return self.normalized == wanted.normalized
