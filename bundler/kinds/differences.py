"""The words for a pin that is not what its entry asks for; shared by the kinds' `disagreements`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bundler.translation import tr

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator


def differences(compared: Iterable[tuple[str, object, object]]) -> Iterator[str]:
    """Yield a line for every (key of the lock, wanted, pinned) whose two values differ.

    A value is what `str` makes of it; of several, their texts with commas between them.
    """
    for key, want, got in compared:
        if want != got:
            yield tr("has {key} {got}, and the manifest means {want}", key=key, got=_shown(got), want=_shown(want))


def _shown(value: object) -> str:
    return (", ".join(map(str, value)) if isinstance(value, tuple) else str(value)) or "none"
