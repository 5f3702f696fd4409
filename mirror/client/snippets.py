"""All that a client can do with a mirror, as text ready to use. Pure: what is offered and how it is reached come in."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mirror.client.curl import curl_snippets
from mirror.client.edge_snippets import edge_snippets
from mirror.client.image_snippets import image_snippets
from mirror.client.registry_snippets import registry_snippets
from mirror.client.wording import schemes
from mirror.client.yum import yum_snippets

if TYPE_CHECKING:
    from collections.abc import Sequence

    from mirror.client.offer import Offer
    from mirror.client.reach import Reach, Snippet


def client_snippets(offer: Offer | None, reach: Reach) -> tuple[Snippet, ...]:
    """Return every snippet of the bundle that is served at `/`; none when there is no such bundle, for None.

    Their names are unique. None holds a password: where the mirror asks for one, a placeholder says so.
    """
    if offer is None or not (schemes(reach) or reach.registry_url):
        return ()
    made = (
        *edge_snippets(offer, reach),
        *yum_snippets(offer.repositories, reach),
        *registry_snippets(offer, reach),
        *image_snippets(offer, reach),
        *curl_snippets(offer, reach),
    )
    return tuple({snippet.name: snippet for snippet in made}.values())


def client_index(snippets: Sequence[Snippet]) -> str:
    """Return the text of `/-/client/`: name and title of each, separated by a tab, one on a line."""
    return "".join(f"{snippet.name}\t{snippet.title}\n" for snippet in snippets)
