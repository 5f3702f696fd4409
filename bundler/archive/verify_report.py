"""What checking a bundle found, as a value; turning it into an error is a separate step. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from bundler.archive.faults import damaged
from bundler.archive.ownership import NO_DIFFERENCE, Ownership

if TYPE_CHECKING:
    from collections.abc import Iterable


@dataclass(frozen=True, slots=True)
class VerifyReport:
    """The result of a check. Paths are relative to the bundle's root, sorted; `dir/` stands for everything below it.

    Arguments:
        where: the archive's name or the tree's directory.
        id, name, release: the bundle's own.
        files, content_bytes: how many listed files are intact, and their bytes.
        missing, changed: listed paths that are absent, or differ from what is listed.
        unlisted: paths that exist and are not listed.
        ownership: modes and owners that differ.
        unlisted_matters: whether those are an error: always in an archive, in a tree (others may use /opt) when strict.
    """

    where: str
    id: str
    name: str
    release: str
    files: int
    content_bytes: int
    missing: tuple[str, ...]
    changed: tuple[str, ...]
    unlisted: tuple[str, ...]
    unlisted_matters: bool
    ownership: Ownership = NO_DIFFERENCE

    @property
    def intact(self) -> bool:
        """Whether this is the bundle that was built."""
        unlisted = self.unlisted and self.unlisted_matters
        return self.ownership.intact and not (self.missing or self.changed or unlisted)


def require_intact(report: VerifyReport) -> None:
    """Raise IntegrityError (BUNDLE_DAMAGED) with every path at fault, unless the report is intact."""
    if report.intact:
        return
    found = [("missing", report.missing), ("changed", report.changed), *report.ownership.found]
    if report.unlisted_matters:
        found.append(("unlisted", report.unlisted))
    what = "this is not the bundle that was built"
    raise damaged(report.where, what, want="every file as listed", got=_listed(found))


def require_own_headers(where: str, ownership: Ownership) -> None:
    """Raise IntegrityError (BUNDLE_DAMAGED) unless an archive's headers are those that bundler writes."""
    if not ownership.intact:
        what = "its headers are not those that were written"
        raise damaged(where, what, want="each as it was written", got=_listed(ownership.found))


def _listed(found: Iterable[tuple[str, tuple[str, ...]]]) -> str:
    return "; ".join(f"{word}: {', '.join(paths)}" for word, paths in found if paths)
