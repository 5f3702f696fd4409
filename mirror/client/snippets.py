"""All that a client can do with a mirror, as text ready to use. Pure: the served site and how it is reached come in."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mirror.client.curl import curl_snippets
from mirror.client.image_snippets import image_snippets
from mirror.client.registry_snippets import registry_snippets
from mirror.client.wording import schemes
from mirror.client.yum import yum_snippets
from mirror.client.yum_repositories import repositories

if TYPE_CHECKING:
    from collections.abc import Sequence

    from mirror.client.reach import Reach, Snippet
    from mirror.tree.site import Site


def client_snippets(site: Site, reach: Reach) -> tuple[Snippet, ...]:
    """Return every snippet of the bundle that is served at `/`; none when there is no such bundle.

    Their names are unique. None holds a password: where the mirror asks for one, a placeholder says so.
    """
    if site.current is None or not (schemes(reach) or reach.registry_url):
        return ()
    index = site.current.index
    made = (
        *yum_snippets(repositories(index), reach),
        *registry_snippets(index, reach),
        *image_snippets(index, reach),
        *curl_snippets(index, reach),
    )
    return tuple({snippet.name: snippet for snippet in made}.values())


def client_index(snippets: Sequence[Snippet]) -> str:
    """Return the text of `/-/client/`: name and title of each, separated by a tab, one on a line."""
    return "".join(f"{snippet.name}\t{snippet.title}\n" for snippet in snippets)
