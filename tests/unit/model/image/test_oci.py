from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bundler.model.digest import Blob, Digest
from bundler.model.image.oci import (
    DOCKER_INDEX,
    DOCKER_MANIFEST,
    MAX_MANIFEST_BYTES,
    OCI_INDEX,
    OCI_MANIFEST,
    Descriptor,
    ImageIndex,
    ImageManifest,
    SchemaOneError,
    parse_config,
    parse_document,
    prune_index,
    select,
)
from bundler.model.platform import Platform

LAYER = "application/vnd.oci.image.layer.v1.tar+gzip"


def pointer(content: str, media_type: str = LAYER, **further: Any) -> dict[str, Any]:
    blob = Blob.of(content.encode())
    return {"mediaType": media_type, "digest": str(blob.digest), "size": blob.size, **further}


def encoded(**members: Any) -> bytes:
    return json.dumps({"schemaVersion": 2, **members}).encode()


def child(text: str, **further: str) -> dict[str, Any]:
    system, arch, *variant = text.split("/")
    platform = {"os": system, "architecture": arch, **({"variant": variant[0]} if variant else {}), **further}
    return pointer(text, OCI_MANIFEST, platform=platform)


MANIFEST = {"config": pointer("config", "application/vnd.oci.image.config.v1+json"), "layers": [pointer("a")]}


@pytest.mark.parametrize("media_type", [OCI_MANIFEST, DOCKER_MANIFEST])
def test_a_manifest(media_type: str) -> None:
    found = parse_document(encoded(mediaType=media_type, **MANIFEST, unknown={"x": 1}), "application/json")
    assert isinstance(found, ImageManifest)
    assert found.media_type == media_type
    assert found.config.blob == Blob.of(b"config")
    assert [layer.blob for layer in found.layers] == [Blob.of(b"a")]


@pytest.mark.parametrize("media_type", [OCI_INDEX, DOCKER_INDEX])
def test_an_index(media_type: str) -> None:
    data = encoded(manifests=[child("linux/arm/v7"), child("unknown/unknown"), pointer("x", OCI_MANIFEST)])
    found = parse_document(data, f"{media_type}; charset=utf-8")
    assert isinstance(found, ImageIndex)
    assert found.media_type == media_type
    assert [item.platform for item in found.manifests] == [
        Platform("linux", "arm", "v7"),
        Platform("unknown", "unknown"),
        None,
    ]
    assert [item.is_attestation for item in found.manifests] == [False, True, False]


def test_without_any_word_the_shape_decides() -> None:
    assert parse_document(encoded(**MANIFEST), "").media_type == OCI_MANIFEST
    assert parse_document(encoded(manifests=None), "text/plain").media_type == OCI_INDEX


def test_a_platform_that_we_cannot_express_is_none() -> None:
    found = parse_document(encoded(manifests=[child("linux/AMD 64")]), OCI_INDEX)
    assert isinstance(found, ImageIndex)
    assert found.manifests[0].platform is None


@pytest.mark.parametrize(
    ("media_type", "foreign", "zstd"),
    [
        ("application/vnd.docker.image.rootfs.foreign.diff.tar.gzip", True, False),
        ("application/vnd.oci.image.layer.nondistributable.v1.tar+zstd", True, True),
        ("application/vnd.oci.image.layer.v1.tar+zstd", False, True),
        (LAYER, False, False),
    ],
)
def test_special_layers(media_type: str, foreign: bool, zstd: bool) -> None:
    layer = Descriptor(media_type, Blob.of(b""))
    assert (layer.is_foreign, layer.is_zstd) == (foreign, zstd)


@pytest.mark.parametrize(
    "data",
    [
        encoded(mediaType="application/vnd.docker.distribution.manifest.v1+prettyjws"),
        b'{"schemaVersion": 1, "fsLayers": []}',
    ],
)
def test_schema_1_is_told_apart(data: bytes) -> None:
    with pytest.raises(SchemaOneError, match="schema 1"):
        parse_document(data, "")


@pytest.mark.parametrize(
    ("data", "says"),
    [
        (b"", "Expecting value"),
        (b"[]", "not a JSON object"),
        (b"{", "Expecting"),
        (b"[" * 100_000, "nested too deep"),
        (b'{"a": NaN}', "NaN is not JSON"),
        (b'{"a": 1, "a": 2}', "occurs twice"),
        (b" " * (MAX_MANIFEST_BYTES + 1), "at most"),
        (encoded(), "neither"),
        (encoded(**MANIFEST, manifests=[]), "both at once"),
        (encoded(manifests=[], layers=[]), "both at once"),
        (encoded(mediaType=OCI_INDEX, **MANIFEST), "not of that shape"),
        (encoded(mediaType=DOCKER_MANIFEST, manifests=[]), "not of that shape"),
        (encoded(mediaType=["a"], manifests=[]), "not a string"),
        (encoded(manifests={}), "not a list"),
        (encoded(manifests=["a"]), "not an object"),
        (encoded(layers=[]), "not an object"),
        (encoded(manifests=[{"mediaType": LAYER, "size": 1}]), "lacks digest"),
        (encoded(manifests=[pointer("a") | {"size": "1"}]), "not a number"),
        (encoded(manifests=[pointer("a") | {"size": True}]), "not a number"),
        (encoded(manifests=[pointer("a") | {"size": -1}]), "cannot be -1"),
        (encoded(manifests=[pointer("a") | {"digest": "sha256:ABC"}]), "lower-case hex"),
        (encoded(manifests=[pointer("a") | {"digest": f"sha512:{'0' * 128}"}]), "not sha512"),
        (encoded(manifests=[pointer("a", "tar\tgzip")]), "not a media type"),
    ],
)
def test_what_is_no_image_is_refused(data: bytes, says: str) -> None:
    with pytest.raises(ValueError, match=says):
        parse_document(data, "")


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["mediaType", "manifests", "layers", "config", "digest", "size", "platform", "os"]), inner
        )
    ),
)


@settings(deadline=None)
@given(value=JSON, media_type=st.sampled_from([OCI_INDEX, OCI_MANIFEST, ""]))
def test_nothing_but_value_errors(value: Any, media_type: str) -> None:
    data = json.dumps(value).encode()
    for parse in (lambda: parse_document(data, media_type), lambda: parse_config(data), lambda: prune_index(data, [])):
        try:
            parse()
        except ValueError:
            continue


@pytest.mark.parametrize(
    ("created", "seconds"),
    [
        ("2021-09-01T12:00:00Z", 1630497600),
        ("2021-09-01T14:00:00.123456789+02:00", 1630497600),
        ("1970-01-01T00:00:00Z", None),
        ("0001-01-01T00:00:00Z", None),
        ("2021-09-01T12:00:00", None),
        ("yesterday", None),
        (7, None),
        (None, None),
    ],
)
def test_the_date_of_a_config(created: object, seconds: int | None) -> None:
    found = parse_config(encoded(os="linux", architecture="arm", variant="v6", created=created))
    assert (found.platform, found.created) == (Platform("linux", "arm", "v6"), seconds)


def test_a_config_without_platform() -> None:
    with pytest.raises(ValueError, match="no operating system"):
        parse_config(b"{}")


@pytest.mark.parametrize(
    ("wanted", "found"),
    [
        ("linux/amd64", "linux/amd64/v1"),
        ("linux/arm64", "linux/arm64/v8"),
        ("linux/arm64/v8", "linux/arm64/v8"),
        ("linux/arm", "linux/arm/v7"),
        ("linux/arm/v7", "linux/arm/v7"),
        ("linux/arm/v6", "linux/arm/v6"),
        ("linux/arm/v5", None),
        ("linux/amd64/v3", None),
        ("windows/amd64", "windows/amd64"),
    ],
)
def test_choosing_a_platform(wanted: str, found: str | None) -> None:
    texts = ["linux/arm/v6", "linux/amd64/v1", "linux/arm/v7", "linux/arm64/v8", "windows/amd64", "windows/amd64"]
    offered = [Descriptor(OCI_MANIFEST, Blob.of(bytes(n)), Platform.parse(text)) for n, text in enumerate(texts)]
    nameless = Descriptor(OCI_MANIFEST, Blob.of(b"nameless"))
    (chosen,) = select([nameless, *offered], [Platform.parse(wanted)])
    assert chosen == (offered[texts.index(found)] if found else None)


INDEX = (
    b'{ "schemaVersion": 2, "z":"\\u00e9 \xc3\xa9 \xf0\x9f\x90\x8b","manifests" : ['
    + b", ".join(json.dumps(child(text)).encode() for text in ("linux/amd64", "unknown/unknown", "linux/arm64"))
    + b'],\n "annotations":{"b":"2","a":"1"}}'
)


def keep(*texts: str) -> list[Digest]:
    return [Blob.of(text.encode()).digest for text in texts]


def test_an_index_whose_children_all_stay_keeps_its_bytes() -> None:
    assert prune_index(INDEX, keep("linux/arm64", "unknown/unknown", "linux/amd64")) is INDEX


def test_a_pruned_index_keeps_order_and_fields_in_one_byte_form() -> None:
    # locks and registries in the field know it by the digest of exactly these bytes
    one = json.dumps(child("linux/arm64"), separators=(",", ":"))
    assert (
        prune_index(INDEX, keep("linux/arm64"))
        == (
            '{"schemaVersion":2,"z":"\\u00e9 \\u00e9 \\ud83d\\udc0b","manifests":[' + one + "],"
            '"annotations":{"b":"2","a":"1"}}'
        ).encode()
    )
    two = json.loads(prune_index(INDEX, keep("linux/arm64", "linux/amd64")))
    assert two["manifests"] == [child("linux/amd64"), child("linux/arm64")]


def test_only_children_can_be_kept() -> None:
    with pytest.raises(ValueError, match="no child of the index"):
        prune_index(INDEX, keep("linux/amd64", "linux/s390x"))
