"""What checking a bundle found, as a value; turning it into an error is a separate step. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from bundler.archive.faults import base_missing, damaged
from bundler.archive.ownership import NO_DIFFERENCE, Ownership
from bundler.translation import tr
from bundler.trust.signature_verdict import NOT_SIGNED, SignatureVerdict

if TYPE_CHECKING:
    from collections.abc import Iterable

    from bundler.archive.delta_marks import BaseShare
    from bundler.archive.exact_form import ExactForm
    from bundler.model.delta_mark import Base


@dataclass(frozen=True, slots=True)
class VerifyReport:
    """The result of a check. Paths are relative to the bundle's root, sorted; `dir/` stands for everything below it.

    Arguments:
        where: the archive's name or the tree's directory.
        id, name, release, deflate: the bundle's own.
        files, content_bytes: how many listed files are intact, and their bytes.
        missing, changed: listed paths that are absent, or differ from what is listed.
        unlisted: paths that exist and are not listed.
        ownership: modes and owners that differ.
        unlisted_matters: whether those are an error: always in an archive, in a tree (others may use /opt) when strict.
        form: what comparing the compressed form found, None where that was not asked for.
        left_out: listed files that are absent because only a subset was wanted.
        verdict: who has signed it.
        left: what an archive leaves to its bases, where it is a delta.
        wanting: the bases of a tree that lacks nothing but what the archive of a delta leaves to them.
    """

    where: str
    id: str
    name: str
    release: str
    deflate: str
    files: int
    content_bytes: int
    missing: tuple[str, ...]
    changed: tuple[str, ...]
    unlisted: tuple[str, ...]
    unlisted_matters: bool
    ownership: Ownership = NO_DIFFERENCE
    form: ExactForm | None = None
    left_out: int = 0
    verdict: SignatureVerdict = NOT_SIGNED
    left: tuple[BaseShare, ...] = ()
    wanting: tuple[Base, ...] = ()

    @property
    def intact(self) -> bool:
        """Whether this is the bundle that was built."""
        unlisted = self.unlisted and self.unlisted_matters
        otherwise = self.form is not None and self.form.differing
        return self.ownership.intact and not (self.missing or self.changed or unlisted or otherwise)


def require_intact(report: VerifyReport) -> None:
    """Raise IntegrityError with every path at fault, unless the report is intact.

    BUNDLE_DAMAGED; BASE_MISSING for a delta that was unpacked without what its bases have.
    """
    if report.intact:
        return
    if report.wanting:
        raise base_missing(report.where, report.wanting, report.missing, None)
    found = [("missing", report.missing), ("changed", report.changed), *report.ownership.found]
    if report.unlisted_matters:
        found.append(("unlisted", report.unlisted))
    if report.form is not None:
        found.append(
            (tr("compressed otherwise"), tuple(tr("byte {offset}", offset=offset) for offset in report.form.differing))
        )
    what = tr("this is not the bundle that was built")
    raise damaged(report.where, what, want=tr("every file as listed"), got=_listed(found))


def require_own_headers(where: str, ownership: Ownership) -> None:
    """Raise IntegrityError (BUNDLE_DAMAGED) unless an archive's headers are those that bundler writes."""
    if not ownership.intact:
        what = tr("its headers are not those that were written")
        raise damaged(where, what, want=tr("each as it was written"), got=_listed(ownership.found))


def _listed(found: Iterable[tuple[str, tuple[str, ...]]]) -> str:
    return "; ".join(f"{word}: {', '.join(paths)}" for word, paths in found if paths)
