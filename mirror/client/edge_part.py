"""edge.sh of each bundle, made once by the process that reads the bundles; only the address is put in for a client."""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import quote

from mirror.client.edge_script import quoted_url, script_halves, script_template
from mirror.tree.bundle_rows import section

if TYPE_CHECKING:
    from collections.abc import Sequence

    from mirror.tree.packed import PackedWriter
    from mirror.tree.served_bundle import ServedBundle
    from mirror.tree.site_packing import NumberedBundle

_SECTION = "edge"
# read by whoever loads this: the process that packs has given up its rights, and may not reach the tool's own files
_TEMPLATE = script_template()


class EdgePart:
    """The part of a packed site that `edge_pieces` reads."""

    def add(self, numbered: NumberedBundle, writer: PackedWriter) -> None:
        """Write a bundle's script, but for the address (`SitePart`)."""
        bundle = numbered.bundle
        halves = script_halves(
            _TEMPLATE, bundle.listed.values(), name=bundle.unpacked_name, bundle_id=bundle.id, left_out=bundle.left_out
        )
        writer.add_rows(section(numbered.number, _SECTION), (half.encode() for half in halves))

    def finish(self, _current: int | None, _writer: PackedWriter) -> Sequence[str]:
        """Write nothing more (`SitePart`)."""
        return ()


def edge_pieces(bundle: ServedBundle, origin: str) -> tuple[bytes | memoryview, ...]:
    """Return the script for one bundle, piece by piece.

    It fetches from the address that the bundle keeps, so that another one may be activated meanwhile.

    Arguments:
        origin: scheme, host and port of the mirror; the caller has made sure of the host.
    """
    halves = bundle.packed.rows(section(bundle.number, _SECTION))
    url = quoted_url(f"{origin}/{quote(bundle.address, safe='@')}")
    return halves[0], url.encode(), halves.view(1)
