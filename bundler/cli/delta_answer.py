"""What commands tell of a delta: how much of a bundle its archive leaves to which base."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bundler.model.size_text import human_bytes
from bundler.translation import tr

if TYPE_CHECKING:
    from collections.abc import Iterable

    from bundler.archive.delta_marks import BaseShare
    from bundler.model.json_value import Json


def share_lines(shares: Iterable[BaseShare]) -> list[str]:
    """Return a line for each base."""
    return [
        tr(
            "a delta: {files} further files, {size}, are left to {base}",
            files=share.files,
            size=human_bytes(share.content_bytes),
            base=share.base,
        )
        for share in shares
    ]


def shares_value(shares: Iterable[BaseShare]) -> list[Json]:
    """Return the same for programs."""
    return [
        {"base": share.base.encode(), "files": share.files, "content_bytes": share.content_bytes} for share in shares
    ]
