"""What bundle.json says of paths: the JSON of each form, and what is made of anything else."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bundler.model.about import (
    About,
    FileAbout,
    ImageAbout,
    PackageAbout,
    TopAbout,
    decode_about,
    encode_about,
)
from bundler.model.artifact import HeldTo
from bundler.model.digest import Digest
from bundler.model.image.oci import OCI_INDEX
from bundler.model.image.reference import Reference
from bundler.model.json_value import dump_pretty, load_strict
from bundler.model.platform import Platform
from tests.unit.model.values import TEXTS, abouts

if TYPE_CHECKING:
    from bundler.model.json_value import Json

PAUSE = Reference.parse("registry.k8s.io/pause:3.5")
DIGEST = Digest.sha256(b"top")
SIGNED = HeldTo("signature", "24c6a8a7f4a80eb5")
TOP = TopAbout((PAUSE,), (Platform("linux", "arm", "v7"),), DIGEST, HeldTo("first-use", via="https://m/"))
IN_JSON: dict[str, tuple[About, dict[str, Any]]] = {
    "file": (FileAbout("https://h/a", SIGNED), {"url": "https://h/a", "held_to": SIGNED.encode()}),
    "member": (
        FileAbout("https://h/a", HeldTo("manifest"), "d/m"),
        {"url": "https://h/a", "held_to": {"by": "manifest"}, "member": "d/m"},
    ),
    "package": (
        PackageAbout("app-1-1.noarch", "An app", "base", "https://h/app.rpm", SIGNED),
        {
            "nevra": "app-1-1.noarch",
            "summary": "An app",
            "repo": "base",
            "url": "https://h/app.rpm",
            "held_to": {"by": "signature", "detail": "24c6a8a7f4a80eb5"},
        },
    ),
    "layer": (ImageAbout("a layer", (PAUSE,)), {"media_type": "a layer", "images": [str(PAUSE)]}),
    "image": (
        ImageAbout(OCI_INDEX, (PAUSE,), TOP),
        {
            "media_type": OCI_INDEX,
            "images": ["registry.k8s.io/pause:3.5"],
            "names": ["registry.k8s.io/pause:3.5"],
            "platforms": ["linux/arm/v7"],
            "digest": str(DIGEST),
            "held_to": {"by": "first-use", "via": "https://m/"},
        },
    ),
    "foreign": (
        ImageAbout("x", (), TopAbout((), (), DIGEST, None, (DIGEST,))),
        {
            "media_type": "x",
            "images": [],
            "names": [],
            "platforms": [],
            "digest": str(DIGEST),
            "foreign_layers": [str(DIGEST)],
        },
    ),
}
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | TEXTS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXTS, inner, max_size=3),
    max_leaves=6,
)
KEYS = ("nevra", "summary", "url", "held_to", "member", "media_type", "images", "names", "platforms", "digest")


@pytest.mark.parametrize(("about", "value"), IN_JSON.values(), ids=IN_JSON)
def test_the_json_of_each_form(about: About, value: dict[str, Any]) -> None:
    assert encode_about(about) == value
    assert decode_about(value) == about


def test_nothing_to_say() -> None:
    assert encode_about(None) == {}
    assert decode_about({}) is None


@given(abouts())
def test_text_and_back(about: About | None) -> None:
    assert decode_about(load_strict(dump_pretty(encode_about(about)))) == about


@pytest.mark.parametrize(("about", "value"), IN_JSON.values(), ids=IN_JSON)
def test_unknown_keys_are_ignored(about: About, value: dict[str, Any]) -> None:
    assert decode_about({**value, "later": {"y": 1}}) == about
    assert decode_about({"later": 1}) is None


@given(st.dictionaries(st.sampled_from(KEYS), JSON, max_size=5))
def test_whatever_an_index_says_is_read(value: dict[str, Any]) -> None:
    assert decode_about(value) is None or encode_about(decode_about(value))


@pytest.mark.parametrize(
    ("key", "value", "is_absent"),
    [
        ("names", ["a b", 4, str(PAUSE), "quay.io/without-tag"], False),
        ("names", str(PAUSE), True),
        ("platforms", ["amd64", "linux/arm/v7", None], False),
        ("platforms", {"linux/arm/v7": 1}, True),
    ],
)
def test_only_what_can_be_parsed_is_there(key: str, value: Json, is_absent: bool) -> None:
    about = decode_about({**IN_JSON["image"][1], key: value})
    assert isinstance(about, ImageAbout)
    assert about.top is not None
    assert getattr(about.top, key) == (() if is_absent else getattr(TOP, key))


@pytest.mark.parametrize("digest", [None, 3, "sha256:00", "md5:x", [str(DIGEST)]])
def test_without_a_digest_it_is_no_images_top(digest: Json) -> None:
    assert decode_about({**IN_JSON["image"][1], "digest": digest}) == ImageAbout(OCI_INDEX, (PAUSE,))


@pytest.mark.parametrize("value", [None, "signature", ["signature"], {"by": "nobody"}, {"by": 3}, {"detail": "x"}])
def test_what_nobody_vouches_for(value: Json) -> None:
    assert decode_about({"url": "https://h/a", "held_to": value}) == FileAbout("https://h/a", None)
