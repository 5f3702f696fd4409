"""What HTTP's workers need of a site beside its files: images' names, what the page searches, what clients type."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mirror.client.edge_part import EdgePart
from mirror.client.offer import OfferPart
from mirror.page.catalog_packing import CatalogPart
from mirror.registry.packing import RegistryPart

if TYPE_CHECKING:
    from mirror.tree.site_packing import SitePart


def site_parts() -> tuple[SitePart, ...]:
    """Return new ones, for one packed site."""
    return (RegistryPart(), CatalogPart(), OfferPart(), EdgePart())
