"""From a URL below `/v2/` to a decision: the pull and content discovery sides of the distribution spec 1.1."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, NamedTuple

from bundler.model.digest import Digest
from bundler.model.image.oci import OCI_INDEX, OCI_MANIFEST
from bundler.model.reference import DEFAULT_HOST, Reference
from mirror.registry.accept import accepted
from mirror.registry.decision import VERSION_FIELD, FileReply, JsonReply, cannot, refused
from mirror.registry.paging import list_page
from mirror.registry.repositories import tag_order

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from mirror.registry.decision import Code, Decision, ReplyFields
    from mirror.registry.paging import Order
    from mirror.registry.repositories import RepositoryIndex, ServedBlob, ServedImage, ServedRepository

_ROUTE = re.compile(r"(.+)/(?:(manifests|blobs|referrers)/([^/]+)|tags/list)", re.DOTALL)
_OCI_TYPES = (OCI_INDEX, OCI_MANIFEST)
# what the reply depends on beside the URL; a cache must not give one client what another one accepts
_NEGOTIATED: ReplyFields = (("Vary", "Accept"),)
_MAX_ECHO_CHARACTERS = 300


class RegistryRequest(NamedTuple):
    """A GET or HEAD request.

    Arguments:
        path: behind `/v2/`, decoded, without slashes at its ends.
        query: the query's fields.
        accept: the Accept field, None when there is none.
        own_host: the name by which the client calls this mirror, without a port.
    """

    path: str
    query: Mapping[str, str]
    accept: str | None = None
    own_host: str = ""


def decide(index: RepositoryIndex, request: RegistryRequest) -> Decision:
    """Decide what a request gets."""
    if not request.path:
        return JsonReply(200, b"{}")
    if request.path == "_catalog":
        return _list(request, index.catalog, lambda name: (name,), "repositories", {})
    route = _ROUTE.fullmatch(request.path)
    if route is None:
        return cannot(404)
    name, what, reference = route[1], route[2], route[3]
    repository = index.find(name, request.query.get("ns", ""), request.own_host)
    if repository is None:
        return _no_repository(name)
    match what:
        case "manifests":
            return _manifest(repository, name, reference, request)
        case "blobs":
            return _blob(repository, name, reference)
        case "referrers":
            return _referrers(reference, request)
        case _:
            return _list(request, repository.tag_names, tag_order, "tags", {"name": name})


def _manifest(repository: ServedRepository, name: str, reference: str, request: RegistryRequest) -> Decision:
    """Find a manifest ("Pulling manifests") and settle its type as the reference registry does (its manifests.go)."""
    takes = accepted(request.accept).takes
    if ":" in reference:
        blob = repository.blobs.get(reference)
        if blob is None or not blob.is_document:
            return _no_content(name, reference, "MANIFEST_UNKNOWN")
        # a request by digest can get nothing else in its place; clients of Docker need not accept it
        if blob.media_type in _OCI_TYPES and not takes(blob.media_type):
            return _not_acceptable(blob)
        return _document(blob, _NEGOTIATED)
    image = repository.tags.get(reference)
    if image is None:
        detail = {"name": name[:_MAX_ECHO_CHARACTERS], "tag": reference[:_MAX_ECHO_CHARACTERS]}
        return refused(404, "MANIFEST_UNKNOWN", "no bundle has an image of this name and tag", detail)
    chosen = _acceptable(image, request)
    return _not_acceptable(image.top) if chosen is None else _document(chosen, _NEGOTIATED)


def _acceptable(image: ServedImage, request: RegistryRequest) -> ServedBlob | None:
    """Return the document for a client: the lock's, or for one that knows no index the primary platform's."""
    takes = accepted(request.accept).takes
    candidates = (image.top, image.primary)
    return next((blob for blob in candidates if blob is not None and takes(blob.media_type)), None)


def _not_acceptable(blob: ServedBlob) -> JsonReply:
    message = f"the image is a document of type {blob.media_type}, which the Accept field leaves out"
    return refused(404, "MANIFEST_UNKNOWN", message, {"digest": blob.digest}, _NEGOTIATED)


def _blob(repository: ServedRepository, name: str, reference: str) -> Decision:
    blob = repository.blobs.get(reference)
    return _no_content(name, reference, "BLOB_UNKNOWN") if blob is None else _document(blob, ())


def _document(blob: ServedBlob, more: ReplyFields) -> Decision:
    return FileReply(blob.file, (VERSION_FIELD, ("Docker-Content-Digest", blob.digest), *more))


def _referrers(reference: str, request: RegistryRequest) -> JsonReply:
    """Say that nothing refers to a manifest: signatures and the like do not travel in bundles ("Listing Referrers")."""
    if not _is_digest(reference):
        return _digest_invalid(reference)
    body = json.dumps({"schemaVersion": 2, "mediaType": OCI_INDEX, "manifests": []}).encode()
    filtered: ReplyFields = (("OCI-Filters-Applied", "artifactType"),) if "artifactType" in request.query else ()
    return JsonReply(200, body, OCI_INDEX, (VERSION_FIELD, *filtered))


def _list(
    request: RegistryRequest, members: Sequence[str], order: Order, key: str, further: Mapping[str, str]
) -> JsonReply:
    page = list_page(members, order, f"/v2/{request.path}", request.query)
    if page is None:
        return refused(400, "PAGINATION_NUMBER_INVALID", "n is not a number of entries")
    return JsonReply(200, json.dumps({**further, key: page.members}).encode(), fields=(VERSION_FIELD, *page.fields))


def _no_repository(name: str) -> JsonReply:
    detail = {"name": name[:_MAX_ECHO_CHARACTERS]}
    try:
        Reference(DEFAULT_HOST, name, "latest")
    except ValueError:
        return refused(400, "NAME_INVALID", "this is no name of a repository", detail)
    return refused(404, "NAME_UNKNOWN", "no bundle has images of this name", detail)


def _no_content(name: str, reference: str, code: Code) -> JsonReply:
    if not _is_digest(reference):
        return _digest_invalid(reference)
    detail = {"name": name[:_MAX_ECHO_CHARACTERS], "digest": reference}
    return refused(404, code, "no image of this repository has such content", detail)


def _digest_invalid(reference: str) -> JsonReply:
    message = "this is no digest: want sha256 or sha512, a colon, and lower-case hex digits"
    return refused(400, "DIGEST_INVALID", message, {"digest": reference[:_MAX_ECHO_CHARACTERS]})


def _is_digest(text: str) -> bool:
    try:
        Digest.parse(text)
    except ValueError:
        return False
    return True
