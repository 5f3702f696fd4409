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
    except (IntegrityError, SourceError) as error:
        raise error.with_context(text) from error
