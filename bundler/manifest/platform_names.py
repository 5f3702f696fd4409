"""Platforms of the manifest, with typos caught: OCI uses Go's names (image spec, "config.md", os and architecture), of
which the known ones here are those that container images and release archives are published for."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bundler.manifest.node_text import shown
from bundler.model.platform import Platform
from bundler.translation import tr

if TYPE_CHECKING:
    from bundler.model.scope import Scope
    from bundler.model.source_text import Scalar

MAX_PLATFORMS = 16
KNOWN_OS = ("linux", "windows", "darwin", "freebsd")
KNOWN_ARCH = (
    "386", "amd64", "arm", "arm64", "loong64", "mips", "mipsle", "mips64", "mips64le", "ppc64le", "riscv64", "s390x",
)  # fmt: skip


def read_platform(scalar: Scalar, scope: Scope, what: str) -> Platform | None:
    """Return the platform that a scalar names; otherwise report it and return None.

    Arguments:
        what: how the message names the value, for example `'platforms'`.
    """
    text = scope.expand(scalar)
    try:
        platform = Platform.parse(text)
    except ValueError as error:
        scope.problems.error(scalar.position, f"{what}: {error}")
        return None
    for part, word, known in (
        (tr("operating system"), platform.os, KNOWN_OS),
        ("architecture", platform.arch, KNOWN_ARCH),
    ):
        if word not in known:
            hint = scope.hint(word, known) or tr("; known are {known}", known=", ".join(known))
            scope.problems.error(
                scalar.position,
                tr("{what}: unknown {part} {word}{hint}", what=what, part=part, word=shown(word), hint=hint),
            )
            return None
    return platform
