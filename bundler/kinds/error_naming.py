"""Saying in an error what only those above the place where it was raised know: a repository, a line of the manifest."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

from bundler.errors import IntegrityError, SourceError

if TYPE_CHECKING:
    from collections.abc import Iterator


@contextmanager
def naming(text: str) -> Iterator[None]:
    """Add a text, in parentheses, to what a SourceError or IntegrityError of the block says."""
    try:
        yield
    except IntegrityError as error:
        what = error.what.removesuffix(f" (want {error.want}, got {error.got})")
        raise IntegrityError(
            error.id, f"{what} ({text})", where=error.where, remedy=error.remedy, want=error.want, got=error.got
        ) from error
    except SourceError as error:
        raise SourceError(
            error.id,
            f"{error.what} ({text})",
            where=error.where,
            remedy=error.remedy,
            retryable=error.retryable,
            retry_after_s=error.retry_after_s,
        ) from error
