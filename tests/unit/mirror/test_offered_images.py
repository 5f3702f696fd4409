"""Whatever bundle.json says of images, all who read it find the same: nobody offers what the registry does not give."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from bundler.archive.bundled_images import open_images
from bundler.model.bundle import BundleIndex, decode_index, encode_index
from bundler.push.push_plan import PushSettings, push_plan
from mirror.client.reach import Reach
from mirror.client.registry_snippets import registry_snippets
from mirror.page.pages import catalog_of
from mirror.probe.expected import Baseline, expectation
from mirror.registry.repositories import repository_index
from tests.unit.mirror.registry.image_sites import bundle, digest, image
from tests.unit.mirror.sites import offer_from, site_of

if TYPE_CHECKING:
    from pathlib import Path

PAUSE, FLANNEL = "registry.k8s.io/pause:3.5", "quay.io/coreos/flannel:v0.14.0"
REACH = Reach("master", 8088, False, None)
# what a builder of ours never writes of an image's top document
ODD: dict[str, dict[str, Any]] = {
    "as-it-should-be": {},
    "digest-of-another-document": {"digest": digest(f"{PAUSE} top")},
    "digest-of-nothing": {"digest": "sha256:00"},
    "no-digest": {"digest": None},
    "unknown-media-type": {"media_type": "application/vnd.example.image.v9+json"},
    "media-type-of-a-layer": {"media_type": "application/vnd.oci.image.layer.v1.tar+gzip"},
    "no-media-type": {"media_type": None},
    "no-names": {"names": []},
    "names-of-another-type": {"names": FLANNEL},
    "names-that-are-none": {"names": ["a b", 4, "<script>", "quay.io/without-tag"]},
    "one-name-that-is-none": {"names": [FLANNEL, "a b"]},
    "images-of-another-type": {"images": 3},
}
GIVEN = ("as-it-should-be", "one-name-that-is-none", "images-of-another-type")


def index_with(told: dict[str, Any], directory: str = "k8simage") -> bytes:
    """Return the bundle.json of two images, the second one's top document described differently."""
    tree = json.loads(encode_index(bundle(image(PAUSE), image(FLANNEL)).index))
    for file in tree["files"]:
        if FLANNEL in file["about"].get("names", ()):
            file["about"] |= told
            file["path"] = file["path"].replace("k8simage", directory)
    return json.dumps(tree).encode()


def given(index: BundleIndex) -> dict[str, str]:
    """Return name -> digest of what the mirror's registry gives by the original names."""
    repositories = repository_index(site_of(index)).originals
    return {
        f"{name}:{tag}": found.top.digest for name, held in repositories.items() for tag, found in held.tags.items()
    }


def shown(index: BundleIndex) -> dict[str, str]:
    """Return the same of what the page calls an image."""
    (served,) = site_of(index).bundles
    images = catalog_of(served).find("", "image").items
    assert list(catalog_of(served).images_in("k8simage")) == list(images)
    return {name: f"sha256:{one.digest}" for one in images for name in one.names}


def checked(index_bytes: bytes) -> dict[str, str]:
    """Return the same of what `mirror verify` expects of a registry."""
    images = expectation(Baseline(), index_bytes, "here").images
    return {str(name): str(one.top.digest) for one in images for name in one.names}


def pushed(index_bytes: bytes, root: Path) -> dict[str, str]:
    """Return the same of what `push-images` would send."""
    (root / "bundle.json").write_bytes(index_bytes)
    with open_images(root) as opened:
        return {str(push.source): str(push.digest) for push in push_plan(opened.images, PushSettings()).pushes}


def offered(index: BundleIndex) -> set[str]:
    """Return the names that a machine is told to pull."""
    (snippet,) = (one for one in registry_snippets(offer_from(index), REACH) if one.name == "docker-pull.sh")
    return {line.split()[-1] for line in snippet.text.splitlines() if line.startswith("docker tag ")}


def assert_all_find(want: dict[str, str], index_bytes: bytes, root: Path) -> None:
    index = decode_index(index_bytes, where="here")
    assert given(index) == want
    assert shown(index) == want
    assert checked(index_bytes) == want
    assert pushed(index_bytes, root) == want
    assert offered(index) == set(want)


@pytest.mark.parametrize("odd", ODD)
def test_all_readers_find_the_images_that_the_registry_gives(odd: str, tmp_path: Path) -> None:
    want = {PAUSE: digest(f"{PAUSE} top")}
    if odd in GIVEN:
        want[FLANNEL] = digest(f"{FLANNEL} top")
    assert_all_find(want, index_with(ODD[odd]), tmp_path)


def test_a_document_outside_the_layout_is_no_image(tmp_path: Path) -> None:
    assert_all_find({PAUSE: digest(f"{PAUSE} top")}, index_with({}, directory="elsewhere"), tmp_path)
