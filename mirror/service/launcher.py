"""Which command starts the mirror when a bundle brings the tool: one that leads to the active bundle's."""

from __future__ import annotations

import os
from pathlib import Path

from bundler.model.bundle import INDEX_PATH

_RUNTIME, _LAUNCHER, _CURRENT = "runtime", "bin/mirror", "current"


def bundle_launcher(root: Path, prefix: str) -> str:
    """Return the launcher for a service of this root; "" when this Python is no bundle's.

    Arguments:
        root: what the mirror serves.
        prefix: where this Python lies (`sys.prefix`): BUNDLE/runtime/MACHINE, or anywhere else.

    Where the root is a bundle that brings the tool, that is its own, which stays whatever is activated; else, for a
    tool from below the root, that of `current`, so that a later start takes the active one.
    """
    place = Path(prefix)
    bundle, real = place.parent.parent, Path(os.path.realpath(root))
    if place.parent.name != _RUNTIME or not _brings_the_tool(bundle):
        return ""
    if real in (bundle, bundle.parent):
        if _brings_the_tool(real):
            return str(root / _LAUNCHER)
        if (real / _CURRENT).is_symlink() and _brings_the_tool(real / _CURRENT):
            return str(root / _CURRENT / _LAUNCHER)
    return str(bundle / _LAUNCHER)


def _brings_the_tool(bundle: Path) -> bool:
    return (bundle / INDEX_PATH).is_file() and (bundle / _LAUNCHER).is_file()
