"""The format number at the head of locks and bundle indexes: which ones this version reads."""

from __future__ import annotations

from bundler.errors import BundleFormatError, ErrorId
from bundler.translation import tr


def require_format(found: object, known: int, *, what: str, where: str) -> None:
    """Raise BundleFormatError for a format that is higher than the known one, ValueError for anything else but it.

    Arguments:
        found: what the file says.
        what: what it is, with its article.
        where: its name.
    """
    if isinstance(found, int) and found > known:
        raise BundleFormatError(
            ErrorId.BUNDLE_FORMAT_NEWER,
            tr("is {what} of format {found}; this version reads format {known}", what=what, found=found, known=known),
            where=where,
            remedy=tr("Use a newer version of bundler."),
        )
    if found != known:
        raise ValueError(tr("format {found!r} is unknown", found=found))
