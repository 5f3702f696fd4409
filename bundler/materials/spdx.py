"""A bill of materials as SPDX 2.3 JSON (ISO/IEC 5962). Pure; a test reads it with the SPDX project's own library.

SPDX wants a SHA-1 of what it calls a file, so that paths are packages of the purpose FILE here.
"""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING
from urllib.parse import quote

from bundler.materials.json_document import document_pieces
from bundler.materials.purl import is_public_url
from bundler.materials.spdx_licenses import spdx_expression

if TYPE_CHECKING:
    from collections.abc import Iterator

    from bundler.materials.component import BillOfMaterials, Component, ComponentType
    from bundler.model.json_value import Json

_DOCUMENT = "SPDXRef-DOCUMENT"
_UNKNOWN = "NOASSERTION"
_PURPOSES: dict[ComponentType, str] = {
    "application": "APPLICATION",
    "library": "LIBRARY",
    "container": "CONTAINER",
    "file": "FILE",
}
# of a SHA-256, in hexadecimal digits: enough that two never meet in one document
_NAME_CHARACTERS = 20


def spdx_pieces(bill: BillOfMaterials) -> Iterator[bytes]:
    """Yield the document in pieces; the same bill gives the same bytes."""
    name = " ".join(filter(None, (bill.subject.name, bill.subject.version)))
    foreign = {component.license_text for component in bill.all() if _is_own_words(component.license_text)}
    members: dict[str, Json] = {
        "SPDXID": _DOCUMENT,
        "spdxVersion": "SPDX-2.3",
        "dataLicense": "CC0-1.0",
        "name": name,
        "documentNamespace": f"https://spdx.org/spdxdocs/{quote(name, safe='')}-{bill.uuid}",
        "creationInfo": {"created": bill.timestamp, "creators": ["Tool: kubeedge-bundler"]},
        "hasExtractedLicensingInfos": [
            {"licenseId": _license(text), "name": text, "extractedText": text} for text in sorted(foreign)
        ],
    }
    lists = {"packages": map(_package, bill.all()), "relationships": _relationships(bill)}
    return document_pieces(members, lists)


def _relationships(bill: BillOfMaterials) -> Iterator[Json]:
    yield _relationship(_DOCUMENT, "DESCRIBES", _id(bill.subject.ref))
    for component in bill.all():
        for part in sorted(set(component.parts)):
            yield _relationship(_id(component.ref), "CONTAINS", _id(part))


def _package(component: Component) -> Json:
    blob = component.blob
    # what it was held to and the rest have no member of their own
    facts = (("held-to", component.held_to), ("origin", component.origin), *component.facts)
    comment = "; ".join(f"{name} {value}" for name, value in facts if value)
    texts = {
        "versionInfo": component.version,
        "packageFileName": component.path,
        "summary": component.description,
        "supplier": f"Organization: {component.supplier}" if component.supplier else "",
        "comment": comment,
    }
    return {
        "SPDXID": _id(component.ref),
        "name": component.name,
        "downloadLocation": component.origin if is_public_url(component.origin) else _UNKNOWN,
        "filesAnalyzed": False,
        "licenseConcluded": _UNKNOWN,
        "licenseDeclared": _license(component.license_text) if component.license_text else _UNKNOWN,
        "copyrightText": _UNKNOWN,
        "primaryPackagePurpose": _PURPOSES[component.type],
        **{name: text for name, text in texts.items() if text},
        **({"checksums": [{"algorithm": "SHA256", "checksumValue": blob.digest.hex}]} if blob is not None else {}),
        **({"externalRefs": [_purl(component.purl)]} if component.purl else {}),
    }


def _purl(purl: str) -> Json:
    return {"referenceCategory": "PACKAGE-MANAGER", "referenceType": "purl", "referenceLocator": purl}


def _relationship(one: str, kind: str, other: str) -> Json:
    return {"spdxElementId": one, "relationshipType": kind, "relatedSpdxElement": other}


def _license(text: str) -> str:
    return f"LicenseRef-{_short_hash(text)}" if _is_own_words(text) else spdx_expression(text)


def _is_own_words(text: str) -> bool:
    return bool(text) and not spdx_expression(text)


def _id(ref: str) -> str:
    return f"SPDXRef-{_short_hash(ref)}"


def _short_hash(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:_NAME_CHARACTERS]
