"""`bin/bundler` and `bin/mirror`: sh scripts that find the runtime for the machine they are called on."""

from __future__ import annotations

from importlib import resources
from typing import TYPE_CHECKING

from bundler.model.bundle_path import BundlePath

if TYPE_CHECKING:
    from collections.abc import Mapping

PROGRAMS = ("bundler", "mirror")
_PROGRAM = "@PROGRAM@"


def launchers() -> Mapping[BundlePath, bytes]:
    """Return path -> content of the launchers."""
    text = (resources.files("bundler.kinds.runtime") / "data" / "launcher.sh").read_text(encoding="utf-8")
    return {BundlePath(f"bin/{name}"): text.replace(_PROGRAM, name).encode() for name in PROGRAMS}
