"""A bill of materials as CycloneDX 1.6 JSON (ECMA-424). Pure; a test holds it to the published schema.

Written item by item: ten thousand components are never held as JSON. docs/adr/0051.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from bundler.materials.json_document import document_pieces
from bundler.materials.purl import is_public_url
from bundler.materials.spdx_licenses import IDENTIFIERS, spdx_expression

if TYPE_CHECKING:
    from collections.abc import Iterator

    from bundler.materials.component import BillOfMaterials, Component
    from bundler.model.json_value import Json

# in front of the names of what CycloneDX has no member for
NAMESPACE = "kubeedge-bundler:"
_TOOL = "kubeedge-bundler"


def cyclonedx_pieces(bill: BillOfMaterials) -> Iterator[bytes]:
    """Yield the document in pieces; the same bill gives the same bytes."""
    members: dict[str, Json] = {
        "$schema": "http://cyclonedx.org/schema/bom-1.6.schema.json",
        "bomFormat": "CycloneDX",
        "specVersion": "1.6",
        "version": 1,
        "serialNumber": f"urn:uuid:{bill.uuid}",
        "metadata": {
            "timestamp": bill.timestamp,
            "tools": {"components": [{"type": "application", "name": _TOOL}]},
            "component": _component(bill.subject),
        },
        "dependencies": [
            {"ref": component.ref, "dependsOn": sorted(set(component.parts))}
            for component in bill.all()
            if component.parts
        ],
    }
    return document_pieces(members, {"components": map(_component, bill.components)})


def _component(component: Component) -> Json:
    blob = component.blob
    texts = {
        "version": component.version,
        "purl": component.purl,
        "description": component.description,
    }
    url = component.origin if is_public_url(component.origin) else ""
    return {
        "bom-ref": component.ref,
        "type": component.type,
        "name": component.name,
        **{name: text for name, text in texts.items() if text},
        **({"supplier": {"name": component.supplier}} if component.supplier else {}),
        **({"hashes": [{"alg": "SHA-256", "content": blob.digest.hex}]} if blob is not None else {}),
        **({"licenses": [_license(component.license_text)]} if component.license_text else {}),
        **({"externalReferences": [{"type": "distribution", "url": url}]} if url else {}),
        "properties": [{"name": f"{NAMESPACE}{name}", "value": value} for name, value in _facts(component)],
    }


def _license(text: str) -> Json:
    expression = spdx_expression(text)
    if expression in IDENTIFIERS:
        return {"license": {"id": expression}}
    return {"expression": expression} if expression else {"license": {"name": text}}


def _facts(component: Component) -> Iterator[tuple[str, str]]:
    if component.blob is not None:
        yield "path", component.path
        yield "size", str(component.blob.size)
    if component.origin:
        yield "origin", component.origin
    if component.held_to:
        yield "held-to", component.held_to
    yield from component.facts
