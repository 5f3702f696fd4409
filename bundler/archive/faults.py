"""Errors for archives and trees that are not a bundle, or a damaged one. Pure: builds errors, raises none."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bundler.errors import BundleFormatError, ErrorId, IntegrityError
from bundler.translation import tr

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from pathlib import Path

    from bundler.model.delta_mark import Base

# so many paths show what sort of files they are
MAX_NAMED_PATHS = 5
_COPY_AGAIN = tr("Copy the bundle again from where it was built, and compare it with its .sha256 file.")


def damaged(where: str, what: str, *, want: str, got: str) -> IntegrityError:
    """Return the error for bytes that differ from those that were written."""
    return IntegrityError(ErrorId.BUNDLE_DAMAGED, what, where=where, remedy=_COPY_AGAIN, want=want, got=got)


class OtherFormError(IntegrityError):
    """An archive that can be read, and that bundler has not written: other headers, or compressed otherwise."""


def other_form(where: str, place: str, *, want: str, got: str) -> OtherFormError:
    """Return the error for bytes around the content that are not those which bundler writes; `place` is in `where`."""
    what = tr("this is not the form that bundler writes, {place}", place=place)
    return OtherFormError(ErrorId.BUNDLE_DAMAGED, what, where=where, remedy=_COPY_AGAIN, want=want, got=got)


class DamagedPartError(IntegrityError):
    """Parts of an archive that differ from those that were written, and are named."""


def damaged_part(where: str, what: str, *, want: str, got: str) -> DamagedPartError:
    """Return the error for parts of an archive that differ from those that were written."""
    remedy = tr("`bundler verify --parts` lists what to bring again; where there is parity, `bundler repair` mends it.")
    return DamagedPartError(ErrorId.BUNDLE_DAMAGED, what, where=where, remedy=remedy, want=want, got=got)


def unsafe(where: str, what: str, *, want: str, got: str) -> IntegrityError:
    """Return the error for an archive that bundler never writes: made by mistake, or with bad intent."""
    return IntegrityError(
        ErrorId.ARCHIVE_UNSAFE,
        what,
        where=where,
        remedy=tr("Do not unpack it; get the bundle from a source that you trust."),
        want=want,
        got=got,
    )


def incomplete(where: str, missing: Sequence[str]) -> IntegrityError:
    """Return the error for missing parts of a split archive."""
    return IntegrityError(
        ErrorId.BUNDLE_INCOMPLETE,
        tr("parts of the archive are missing"),
        where=where,
        remedy=tr(
            "Copy the missing parts beside the others (--part-dir names further places), or see `bundler repair`."
        ),
        want=tr("every part"),
        got=tr("no {missing}", missing=", ".join(missing)),
    )


def base_missing(
    where: str,
    bases: Iterable[Base],
    missing: Sequence[str],
    root: Path | None,
    rotted: Sequence[str] = (),
    *,
    merging: bool = False,
) -> IntegrityError:
    """Return the error for a delta that lacks what its bases should have.

    Arguments:
        bases: who should have it.
        missing: paths of which nobody has the content.
        root: below which the bundles were looked for; None where none were.
        rotted: files that should have had it.
        merging: whether bundles were named to look in, rather than a root.
    """
    names = ", ".join(map(str, bases))
    if merging:
        remedy = tr("Name {names} too, before the delta: an archive or a tree.", names=names)
    elif root is None:
        remedy = tr("Run `bundler unpack ARCHIVE --root DIR` with the delta, where DIR holds {names}.", names=names)
    else:
        remedy = tr(
            "Unpack {names} below {root} first, or carry the full archive, which `bundler merge` makes.",
            names=names,
            root=root,
        )
    got = tr("no such content")
    return IntegrityError(
        ErrorId.BASE_MISSING,
        tr("this is a delta, and {count} files that it leaves to its base are not there", count=len(missing)),
        where=where,
        remedy=remedy,
        want=f"{names}: {_some(missing)}",
        got=f"{got}; {tr('changed')}: {_some(rotted)}" if rotted else got,
    )


def _some(paths: Iterable[str]) -> str:
    named = sorted(paths)
    return ", ".join((*named[:MAX_NAMED_PATHS], *(("…",) if len(named) > MAX_NAMED_PATHS else ())))


def not_found(where: str, what: str) -> BundleFormatError:
    """Return the error for a place that holds no bundle."""
    return BundleFormatError(
        ErrorId.BUNDLE_NOT_FOUND,
        what,
        where=where,
        remedy=tr("Name an archive that bundler has built, one of its parts, or the directory it was unpacked into."),
    )


def no_delta(where: str) -> BundleFormatError:
    """Return the error for a bundle that stands where the archive of a delta belongs."""
    return BundleFormatError(
        ErrorId.BUNDLE_INVALID,
        tr("is no archive of a delta"),
        where=where,
        remedy=tr("Name the bundles that the delta builds on first, and its archive last: it has content they lack."),
    )


def invalid(where: str, what: str) -> BundleFormatError:
    """Return the error for a file that is not a bundle's archive at all."""
    return BundleFormatError(
        ErrorId.BUNDLE_INVALID,
        what,
        where=where,
        remedy=tr("Name an archive that bundler has built; if this is one, copy it again."),
    )
