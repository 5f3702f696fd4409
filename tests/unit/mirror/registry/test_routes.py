"""What URLs below /v2/ get, as the distribution spec has it."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from bundler.model.image.oci import DOCKER_INDEX, DOCKER_MANIFEST, OCI_INDEX, OCI_MANIFEST
from mirror.registry.decision import FileReply, JsonReply, cannot
from mirror.registry.routes import RegistryRequest, decide
from tests.unit.mirror.registry.image_sites import AMD64, ARM64, digest, image, index_of_images

if TYPE_CHECKING:
    from collections.abc import Mapping

    from mirror.registry.repositories import RepositoryIndex

OCI, DOCKER, ARM, ONE = (f"quay.io/demo/{name}:1" for name in ("oci", "docker", "arm", "one"))
BOTH_INDEXES = f"{DOCKER_INDEX}, {OCI_INDEX}"
BOTH_MANIFESTS = f"{DOCKER_MANIFEST}, {OCI_MANIFEST}"
SCHEMA_1 = "application/vnd.docker.distribution.manifest.v1+prettyjws"
UNKNOWN = digest("nothing has this")


@pytest.fixture(scope="module")
def names() -> RepositoryIndex:
    tags = [image(f"quay.io/demo/many:{tag}") for tag in ("b", "A", "a", "C", "1")]
    return index_of_images(
        image(OCI, pruned=True),
        image(DOCKER, media_type=DOCKER_INDEX),
        image(ARM, platforms=[ARM64]),
        image(ONE, platforms=[AMD64], media_type=DOCKER_MANIFEST),
        *tags,
    )


def ask(names: RepositoryIndex, path: str, accept: str | None = None, **query: str) -> FileReply | JsonReply:
    return decide(names, RegistryRequest(path, query, accept, "master"))


def document(names: RepositoryIndex, path: str, accept: str | None = None) -> tuple[str, dict[str, str]]:
    found = ask(names, path, accept)
    assert isinstance(found, FileReply), found
    return str(found.file.digest), dict(found.fields)


def reply_to(
    names: RepositoryIndex, path: str, accept: str | None = None, **query: str
) -> tuple[int, Any, dict[str, str]]:
    found = ask(names, path, accept, **query)
    assert isinstance(found, JsonReply), found
    fields = dict(found.fields)
    assert fields.pop("Docker-Distribution-API-Version") == "registry/2.0"
    return found.status, json.loads(found.body), fields


def error(names: RepositoryIndex, path: str, accept: str | None = None, **query: str) -> tuple[int, str]:
    status, body, _ = reply_to(names, path, accept, **query)
    (problem,) = body["errors"]
    assert problem["message"]
    assert list(problem) == ["code", "message", "detail"]
    return status, problem["code"]


def test_the_version_check(names: RepositoryIndex) -> None:
    assert reply_to(names, "") == (200, {}, {})


@pytest.mark.parametrize(
    ("accept", "wanted"),
    [
        (None, "top"),
        ("", "top"),
        ("*/*", "top"),
        ("application/*;q=0.5", "top"),
        (OCI_INDEX, "top"),
        (f"{SCHEMA_1}, {BOTH_INDEXES},{BOTH_MANIFESTS}", "top"),
        (f"{OCI_INDEX.upper()};q=0.1", "top"),
        (BOTH_MANIFESTS, "amd64 manifest"),
        (f"{OCI_INDEX};q=0, {OCI_MANIFEST}", "amd64 manifest"),
        (f"{DOCKER_INDEX}, {OCI_MANIFEST}", "amd64 manifest"),
    ],
)
def test_an_index_goes_to_who_takes_it_and_the_primary_s_manifest_to_others(
    names: RepositoryIndex, accept: str | None, wanted: str
) -> None:
    found, fields = document(names, "demo/oci/manifests/1", accept)
    assert found == digest(f"{OCI} {wanted}")
    assert fields["Docker-Content-Digest"] == found
    assert fields["Vary"] == "Accept"


@pytest.mark.parametrize(
    ("path", "accept"),
    [
        ("demo/oci/manifests/1", SCHEMA_1),
        ("demo/oci/manifests/1", f"{DOCKER_INDEX}, {DOCKER_MANIFEST}"),
        ("demo/oci/manifests/1", f"{OCI_INDEX};q=0.000"),
        ("demo/docker/manifests/1", OCI_INDEX),
        ("demo/one/manifests/1", BOTH_INDEXES),
        (f"demo/oci/manifests/{digest(f'{OCI} top')}", BOTH_MANIFESTS),
        (f"demo/oci/manifests/{digest(f'{OCI} arm64 manifest')}", BOTH_INDEXES),
    ],
)
def test_what_is_not_accepted_is_unknown(names: RepositoryIndex, path: str, accept: str) -> None:
    assert error(names, path, accept) == (404, "MANIFEST_UNKNOWN")


def test_docker_s_types_go_out_by_digest_whatever_is_accepted(names: RepositoryIndex) -> None:
    wanted = digest(f"{DOCKER} top")
    assert document(names, f"demo/docker/manifests/{wanted}", OCI_MANIFEST)[0] == wanted


def test_the_only_platform_stands_in_for_the_primary(names: RepositoryIndex) -> None:
    assert document(names, "demo/arm/manifests/1", OCI_MANIFEST)[0] == digest(f"{ARM} arm64 manifest")


@pytest.mark.parametrize("part", ["top", "upstream", "amd64 manifest", "arm64 manifest"])
def test_every_document_of_an_image_is_there_by_digest(names: RepositoryIndex, part: str) -> None:
    wanted = digest(f"{OCI} {part}")
    assert document(names, f"demo/oci/manifests/{wanted}")[0] == wanted


@pytest.mark.parametrize("part", ["amd64 layer", "arm64 config", "top"])
def test_blobs(names: RepositoryIndex, part: str) -> None:
    wanted = digest(f"{OCI} {part}")
    found, fields = document(names, f"demo/oci/blobs/{wanted}", "text/html")
    assert (found, fields["Docker-Content-Digest"]) == (wanted, wanted)
    assert "Vary" not in fields


@pytest.mark.parametrize(
    ("path", "status", "code"),
    [
        ("demo/oci/manifests/2", 404, "MANIFEST_UNKNOWN"),
        ("demo/oci/manifests/.INVALID", 404, "MANIFEST_UNKNOWN"),
        (f"demo/oci/manifests/{'t' * 4000}", 404, "MANIFEST_UNKNOWN"),
        (f"demo/oci/manifests/{UNKNOWN}", 404, "MANIFEST_UNKNOWN"),
        # a layer is no manifest
        (f"demo/oci/manifests/{digest(f'{OCI} amd64 layer')}", 404, "MANIFEST_UNKNOWN"),
        ("demo/oci/manifests/sha256:12", 400, "DIGEST_INVALID"),
        ("demo/oci/manifests/latest:1", 400, "DIGEST_INVALID"),
        (f"demo/oci/blobs/{UNKNOWN}", 404, "BLOB_UNKNOWN"),
        (f"demo/oci/blobs/sha512:{'0' * 128}", 404, "BLOB_UNKNOWN"),
        # another repository's
        (f"demo/oci/blobs/{digest(f'{DOCKER} amd64 layer')}", 404, "BLOB_UNKNOWN"),
        (f"demo/oci/blobs/{UNKNOWN.upper()}", 400, "DIGEST_INVALID"),
        ("demo/oci/blobs/1", 400, "DIGEST_INVALID"),
        ("demo/oci/blobs/uploads", 400, "DIGEST_INVALID"),
        ("demo/oci/referrers/1", 400, "DIGEST_INVALID"),
        ("demo/absent/manifests/1", 404, "NAME_UNKNOWN"),
        ("demo/absent/tags/list", 404, "NAME_UNKNOWN"),
        (f"demo/absent/blobs/{UNKNOWN}", 404, "NAME_UNKNOWN"),
        (f"demo/absent/referrers/{UNKNOWN}", 404, "NAME_UNKNOWN"),
        ("../manifests/1", 400, "NAME_INVALID"),
        ("demo/../demo/oci/manifests/1", 400, "NAME_INVALID"),
        ("./tags/list", 400, "NAME_INVALID"),
        ("Demo/oci/tags/list", 400, "NAME_INVALID"),
        ("demo//oci/tags/list", 400, "NAME_INVALID"),
        ("demo/oci\n/tags/list", 400, "NAME_INVALID"),
        ("演示/manifests/1", 400, "NAME_INVALID"),
        (f"{'n' * 256}/manifests/1", 400, "NAME_INVALID"),
        (f"{'n' * 255}/manifests/1", 404, "NAME_UNKNOWN"),
        ("/".join("n" * 4000) + "/manifests/1", 400, "NAME_INVALID"),
        ("demo/oci", 404, "UNSUPPORTED"),
        ("manifests/1", 404, "UNSUPPORTED"),
        ("tags/list", 404, "UNSUPPORTED"),
        ("demo/oci/tags", 404, "UNSUPPORTED"),
        ("demo/oci/manifests/1/2", 404, "UNSUPPORTED"),
        ("demo/oci/blobs/uploads/1234", 404, "UNSUPPORTED"),
        ("_catalog/more", 404, "UNSUPPORTED"),
    ],
)
def test_errors(names: RepositoryIndex, path: str, status: int, code: str) -> None:
    assert error(names, path) == (status, code)


def test_errors_repeat_only_the_beginning_of_what_was_asked(names: RepositoryIndex) -> None:
    found = ask(names, f"{'n' * 8000}/manifests/1")
    assert isinstance(found, JsonReply)
    assert len(found.body) < 1000


def test_nothing_refers_to_anything(names: RepositoryIndex) -> None:
    path = f"demo/oci/referrers/{UNKNOWN}"
    empty = {"schemaVersion": 2, "mediaType": OCI_INDEX, "manifests": []}
    assert reply_to(names, path) == (200, empty, {})
    assert reply_to(names, path, artifactType="a/b") == (200, empty, {"OCI-Filters-Applied": "artifactType"})
    found = ask(names, path)
    assert isinstance(found, JsonReply)
    assert found.media_type == OCI_INDEX


@pytest.mark.parametrize(
    ("query", "tags", "follows"),
    [
        ({}, ["1", "A", "a", "b", "C"], None),
        ({"n": "5"}, ["1", "A", "a", "b", "C"], None),
        ({"n": "100"}, ["1", "A", "a", "b", "C"], None),
        ({"n": "2"}, ["1", "A"], "n=2&last=A"),
        ({"n": "2", "last": "A"}, ["a", "b"], "n=2&last=b"),
        ({"n": "2", "last": "b"}, ["C"], None),
        ({"last": "absent"}, ["b", "C"], None),
        ({"last": "C"}, [], None),
        ({"n": "0"}, [], None),
        ({"n": "1", "ns": "quay.io"}, ["1"], "n=1&ns=quay.io&last=1"),
    ],
)
def test_tags_in_pages(names: RepositoryIndex, query: Mapping[str, str], tags: list[str], follows: str | None) -> None:
    status, body, fields = reply_to(names, "demo/many/tags/list", **query)
    assert (status, body) == (200, {"name": "demo/many", "tags": tags})
    assert fields.get("Link") == (f'</v2/demo/many/tags/list?{follows}>; rel="next"' if follows else None)


@pytest.mark.parametrize("n", ["-1", "x", "1e3", "٣", " 1", "9" * 5000])
def test_a_page_s_length_is_a_number(names: RepositoryIndex, n: str) -> None:
    assert error(names, "_catalog", n=n) == (400, "PAGINATION_NUMBER_INVALID")
    assert error(names, "demo/many/tags/list", n=n) == (400, "PAGINATION_NUMBER_INVALID")


def test_following_the_links_gives_the_whole_catalog_once(names: RepositoryIndex) -> None:
    everything = reply_to(names, "_catalog")[1]["repositories"]
    assert everything == ["demo/arm", "demo/docker", "demo/many", "demo/oci", "demo/one"]
    found: list[str] = []
    query = {"n": "2"}
    for _ in range(3):
        _, body, fields = reply_to(names, "_catalog", **query)
        found += body["repositories"]
        query["last"] = found[-1]
    assert found == everything
    assert "Link" not in fields


@pytest.mark.parametrize("status", [400, 401, 404, 405, 408, 413, 414, 416, 417, 431, 500, 501, 503, 505])
def test_every_refusal_is_worded_as_the_spec_wants_it(status: int) -> None:
    found = cannot(status)
    assert (found.status, found.media_type) == (status, "application/json")
    (problem,) = json.loads(found.body)["errors"]
    assert problem["code"].replace("_", "").isupper()
