"""What clients type, as the page shows it: by tool, escaped. Pure."""

from __future__ import annotations

from itertools import groupby
from typing import TYPE_CHECKING, NamedTuple

from mirror.page.escaping import escape_unprintable, escape_unprintable_block

if TYPE_CHECKING:
    from collections.abc import Sequence

    from mirror.client.reach import Snippet
    from mirror.page.words import Words


class ToolPanel(NamedTuple):
    """All that is shown for one tool."""

    title: str
    snippets: tuple[Snippet, ...]


def tool_panels(snippets: Sequence[Snippet], words: Words) -> list[ToolPanel]:
    """Return the snippets by tool, tools in the order in which they first come."""
    order = list(dict.fromkeys(snippet.tool for snippet in snippets))
    by_tool = groupby(sorted(snippets, key=lambda snippet: order.index(snippet.tool)), lambda each: each.tool)
    return [
        ToolPanel(words.known(f"tool.{tool}", escape_unprintable(tool)), tuple(map(shown_snippet, each)))
        for tool, each in by_tool
    ]


def shown_snippet(snippet: Snippet) -> Snippet:
    """Return a snippet with every text of it fit to be shown."""
    return type(snippet)(
        name=snippet.name,
        tool=snippet.tool,
        title=escape_unprintable(snippet.title),
        title_zh=escape_unprintable(snippet.title_zh),
        text=escape_unprintable_block(snippet.text).rstrip("\n"),
        commands=snippet.commands,
        path=escape_unprintable(snippet.path),
    )
