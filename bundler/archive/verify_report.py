"""What checking a bundle has found, as a value; making an error of it is a step of its own. Pure."""

from __future__ import annotations

from dataclasses import dataclass

from bundler.archive.faults import damaged


@dataclass(frozen=True, slots=True)
class Report:
    """The outcome of a check. Paths are relative to the bundle's root, sorted; `dir/` stands for all below it.

    Arguments:
        where: the archive's name or the tree's directory.
        id, name, release: the bundle's own.
        files, content_bytes: how many listed files were found intact, and their bytes.
        missing, changed: listed paths that are absent, or are something else than what is listed.
        unlisted: what lies there beside them.
        unlisted_matters: whether that is an error: always in an archive, in a tree (others may use /opt) when strict.
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

    @property
    def intact(self) -> bool:
        """Whether this is the bundle that was built."""
        return not (self.missing or self.changed or (self.unlisted and self.unlisted_matters))


def require_intact(report: Report) -> None:
    """Raise IntegrityError (BUNDLE_DAMAGED) with every path that is not as it should be."""
    if report.intact:
        return
    found = [("missing", report.missing), ("changed", report.changed)]
    if report.unlisted_matters:
        found.append(("unlisted", report.unlisted))
    got = "; ".join(f"{word}: {', '.join(paths)}" for word, paths in found if paths)
    raise damaged(report.where, "this is not the bundle that was built", want="every file as listed", got=got)
