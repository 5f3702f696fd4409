"""Values that the thousands of artifacts of a lock or an index have in common, each made once and shared by all.

Decoding them anew for every file would be most of the memory of a large lock.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Any

from bundler.model.json_value import want_text
from bundler.model.platform import Platform


@lru_cache(maxsize=256)
def shared_platform(text: Any) -> Platform:
    """Parse a platform; TypeError where that is no text, ValueError where it names none."""
    return Platform.parse(want_text(text))


@lru_cache(maxsize=256)
def shared_platforms(texts: tuple[Any, ...]) -> tuple[Platform, ...]:
    """Parse platforms; raises as `shared_platform` does."""
    return tuple(map(shared_platform, texts))


@lru_cache(maxsize=256)
def shared_roles(words: tuple[Any, ...]) -> tuple[str, ...]:
    """Return roles; TypeError where one is no text."""
    return tuple(map(want_text, words))
