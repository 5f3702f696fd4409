"""Which of two releases is the newer one, as RPM tells versions. Pure."""

from __future__ import annotations

from bundler.model.rpm.version_order import compare_versions


def is_older(release: str, other: str) -> bool:
    """Tell whether a release is older than another; one that is empty is older than any that is not."""
    order = compare_versions(release, other)
    return order < 0 or (order == 0 and not release and bool(other))
