"""Lists in pages: `n` and `last`, and the Link to what follows (distribution spec 1.1, "Listing Tags"; RFC 8288)."""

from __future__ import annotations

from bisect import bisect_right
from typing import TYPE_CHECKING, NamedTuple
from urllib.parse import urlencode

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from mirror.registry.decision import ReplyFields

    Order = Callable[[str], tuple[str, ...]]

# more digits than any list has members
_MAX_DIGITS = 9


class ListPage(NamedTuple):
    """A part of a list, and where the next one is."""

    members: list[str]
    fields: ReplyFields


def list_page(members: Sequence[str], order: Order, path: str, query: Mapping[str, str]) -> ListPage | None:
    """Return the part that a query asks for, or None when `n` is no number.

    Arguments:
        members: sorted by `order`.
        path: of the list's URL.
        query: its fields: `n`, `last`, and whatever has to stand in the next query as well.
    """
    text = query.get("n")
    if text is not None and not (text.isascii() and text.isdigit() and len(text) <= _MAX_DIGITS):
        return None
    last = query.get("last")
    # a client that takes a long list in small pages must not have all of it looked through each time
    left = members if last is None else members[bisect_right(members, order(last), key=order) :]
    if text is None or int(text) >= len(left):
        return ListPage(list(left), ())
    part = list(left[: int(text)])
    if not part:
        # `n` is 0: there is no member to go on from
        return ListPage([], ())
    following = urlencode({**query, "last": part[-1]})
    return ListPage(part, (("Link", f'<{path}?{following}>; rel="next"'),))
