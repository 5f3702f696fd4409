"""Open the directories that the command line names, once, while the mirror may still be root. The edge of `tree`."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

from bundler.archive import open_beneath
from bundler.archive.bundle_root import BundleRoot
from bundler.errors import ErrorId, ServeError
from bundler.translation import tr
from mirror.tree.shares import Share

if TYPE_CHECKING:
    from mirror.settings import ShareOption


def open_root(path: Path) -> BundleRoot:
    """Open the directory that is served; it may be named through links. Raises ServeError (SERVE_ROOT_UNUSABLE)."""
    # Path.absolute keeps `..`, which `current` never says
    return BundleRoot(_open(path), Path(os.path.abspath(path)))  # noqa: PTH100


def is_replaced(root: BundleRoot) -> bool:
    """Tell whether the root's name leads to another directory by now, or to none."""
    try:
        return not os.path.samestat(root.path.stat(), os.fstat(root.descriptor))
    except OSError:
        return True


def open_share(option: ShareOption) -> Share:
    """Open a directory that is served as it is. Raises ServeError (SERVE_ROOT_UNUSABLE)."""
    return Share(option.path, _open(option.directory))


def _open(path: Path) -> int:
    try:
        return open_beneath.open_root(path)
    except OSError as error:
        raise ServeError(
            ErrorId.SERVE_ROOT_UNUSABLE,
            tr("the directory cannot be opened: {reason}", reason=error.strerror),
            where=str(path),
            remedy=tr("Name an existing directory, and let the user that the mirror runs as read it."),
        ) from error
