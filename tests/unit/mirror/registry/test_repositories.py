"""Which repositories there are, and whose blobs each of them gives out."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from bundler.model.about import ImageAbout, TopAbout, decode_about, encode_about
from bundler.model.bundle import IndexedFile
from bundler.model.bundle_path import BundlePath
from bundler.model.image.bundled import media_type
from bundler.model.image.oci import DOCKER_INDEX, DOCKER_MANIFEST, OCI_INDEX, OCI_MANIFEST
from bundler.model.reference import Reference
from mirror.registry.repositories import repository_index
from tests.unit.mirror.registry.image_sites import (
    AMD64,
    ARM64,
    blob,
    bundle,
    digest,
    image,
    index_of_images,
    site,
    site_of_images,
)
from tests.unit.mirror.sites import loaded
from tests.work_count import executed_lines

if TYPE_CHECKING:
    from bundler.model.json_value import Json
    from mirror.registry.repositories import RepositoryIndex, ServedRepository

PAUSE, FLANNEL = "registry.k8s.io/pause:3.5", "quay.io/coreos/flannel:v0.14.0"
HOST = "master"


def top(names: RepositoryIndex, name: str, tag: str, namespace: str = "") -> str | None:
    """Return which document a name leads to."""
    repository = names.find(name, namespace, HOST)
    found = repository.tags.get(tag) if repository is not None else None
    return None if found is None else found.top.digest


@pytest.mark.parametrize(
    ("name", "namespace"),
    [
        ("library/pause", ""),
        ("pause", ""),
        ("registry.k8s.io/pause", ""),
        ("pause", "registry.k8s.io"),
        ("kubeedge/pause", ""),
        ("kubeedge/pause", "docker.io"),
        ("library/pause", "master"),
        ("library/pause", "master:8088"),
        ("pause", "master"),
    ],
)
def test_an_image_answers_to_all_its_names(name: str, namespace: str) -> None:
    names = index_of_images(image(PAUSE, "docker.io/kubeedge/pause:3.5"), image(FLANNEL))
    assert top(names, name, "3.5", namespace) == digest(f"{PAUSE} top")


@pytest.mark.parametrize(
    ("name", "namespace"),
    [
        ("library/pause", "registry.k8s.io"),
        ("library/pause", "docker.io"),
        ("pause", "quay.io"),
        ("coreos/flannel", "gcr.io"),
        ("coreos/flannel", "other:8088"),
        ("coreos", ""),
        ("", ""),
        ("library/pause/", ""),
        ("Library/pause", ""),
    ],
)
def test_another_registry_s_image_is_never_given(name: str, namespace: str) -> None:
    assert index_of_images(image(PAUSE), image(FLANNEL)).find(name, namespace, HOST) is None


def test_a_port_is_part_of_a_source_s_name() -> None:
    names = index_of_images(image("127.0.0.1:5000/demo/hello:1"))
    assert top(names, "demo/hello", "1", "127.0.0.1:5000") == digest("127.0.0.1:5000/demo/hello:1 top")
    assert names.find("demo/hello", "127.0.0.1", HOST) is None


def test_the_catalog_lists_what_push_would_make() -> None:
    names = index_of_images(image(PAUSE, "docker.io/kubeedge/pause:3.5"), image(FLANNEL))
    assert list(names.site_names) == ["coreos/flannel", "kubeedge/pause", "library/pause"]


def test_a_last_segment_is_known_where_it_means_one_image() -> None:
    other = "docker.io/other/pause:3.5"
    names = index_of_images(image(PAUSE), image(other), image("docker.io/other/pause:3.6"))
    assert top(names, "pause", "3.5") is None
    assert top(names, "pause", "3.6") == digest("docker.io/other/pause:3.6 top")
    assert top(names, "library/pause", "3.5") == digest(f"{PAUSE} top")
    assert site_of_images(image(PAUSE), image(other)).warnings == ()
    found = names.find("pause", "", HOST)
    assert found is not None
    assert {digest(f"{PAUSE} top"), digest(f"{other} top")} <= set(found.blobs)


def test_a_site_s_name_of_two_images_is_given_to_neither_and_told() -> None:
    found = site_of_images(image(PAUSE), image("docker.io/library/pause:3.5"))
    names = repository_index(found)
    assert top(names, "library/pause", "3.5") is None
    assert top(names, "pause", "3.5", "registry.k8s.io") == digest(f"{PAUSE} top")
    (warning,) = found.warnings
    assert warning.startswith("library/pause:3.5 would be 2 images of bundle ")


def test_a_repository_holds_its_images_blobs_and_no_others() -> None:
    names = index_of_images(image(PAUSE, layers=["shared"], pruned=True), image(FLANNEL, layers=["shared"]))
    found = names.find("library/pause", "", HOST)
    assert found is not None
    parts = (f"{arch} {what}" for arch in ("amd64", "arm64") for what in ("manifest", "config", "layer"))
    wanted = {digest(f"{PAUSE} {part}") for part in ("top", "upstream", *parts)} | {digest("shared")}
    assert set(found.blobs) == wanted


def test_a_child_that_is_an_image_of_its_own_opens_no_other_repository() -> None:
    whole = image(PAUSE)
    child = whole.images[0].manifest.digest
    by_digest = image(f"registry.k8s.io/alone@{child}", platforms=[AMD64], media_type=OCI_MANIFEST)
    alone = replace(
        by_digest, upstream=whole.images[0].manifest.blob, top=whole.images[0].manifest.blob, images=whole.images[:1]
    )
    names = index_of_images(whole, alone)
    found = names.find("library/alone", "", HOST)
    assert found is not None
    assert set(found.blobs) == {digest(f"{PAUSE} amd64 {what}") for what in ("manifest", "config", "layer")}


def test_the_view_that_skopeo_reads_in_the_layout_is_no_image() -> None:
    listed = bundle(image(PAUSE, media_type=DOCKER_INDEX))
    found = repository_index(site(listed, current=listed)).find("library/pause", "", HOST)
    assert found is not None
    views = [file for file in listed.index.files if media_type(file) == OCI_INDEX]
    assert len(views) == 1
    assert str(views[0].blob.digest) not in found.blobs
    assert found.tags["3.5"].top.media_type == DOCKER_INDEX


def test_an_image_by_digest_alone_has_no_tag() -> None:
    name = f"quay.io/metrics/server@{digest('something')}"
    found = index_of_images(image(name)).find("metrics/server", "", HOST)
    assert found is not None
    assert dict(found.tags) == {}
    assert digest(f"{name} top") in found.blobs


def test_the_primary_platform_is_the_first_of_the_bundle_s() -> None:
    listed = (ARM64, AMD64)
    found = index_of_images(image(PAUSE), image(FLANNEL, platforms=[AMD64]), platforms=listed)
    for name, tag, arch, reference in (
        ("library/pause", "3.5", "arm64", PAUSE),
        ("coreos/flannel", "v0.14.0", "amd64", FLANNEL),
    ):
        repository = found.find(name, "", HOST)
        assert repository is not None
        primary = repository.tags[tag].primary
        assert primary is not None
        assert primary.digest == digest(f"{reference} {arch} manifest")


def test_a_manifest_without_an_index_is_its_own_primary() -> None:
    found = index_of_images(image(PAUSE, platforms=[AMD64], media_type=DOCKER_MANIFEST)).find("library/pause", "", HOST)
    assert found is not None
    only = found.tags["3.5"]
    assert only.primary is only.top


def test_the_current_bundle_goes_first_and_a_tag_that_differs_is_told() -> None:
    old = bundle(image(PAUSE), image(FLANNEL), directory="a-old")
    new = bundle(image(PAUSE, version="-new"), directory="b-new")
    served = site(old, new, current=new)
    names = repository_index(served)
    assert top(names, "library/pause", "3.5") == digest(f"{PAUSE}-new top")
    assert top(names, "pause", "3.5") == digest(f"{PAUSE}-new top")
    assert top(names, "coreos/flannel", "v0.14.0") == digest(f"{FLANNEL} top")
    (warning,) = served.warnings
    first, second = new.id[:12], old.id[:12]
    assert warning.startswith(f"library/pause:3.5 is one image in bundle {first} and another in {second}")
    found = names.find("library/pause", "", HOST)
    assert found is not None
    assert {digest(f"{PAUSE} top"), digest(f"{PAUSE}-new top")} <= set(found.blobs)


def test_the_same_image_in_two_bundles_is_no_matter() -> None:
    first, second = (bundle(image(PAUSE), directory=name) for name in ("a", "b"))
    served = site(first, second, current=second)
    names = repository_index(served)
    assert served.warnings == ()
    found = names.find("library/pause", "", HOST)
    assert found is not None
    assert found.tags["3.5"].top.bundle is served.current


def test_bundles_without_a_current_one_are_taken_in_their_order() -> None:
    first, second = (bundle(image(PAUSE, version=name), directory=name) for name in ("a", "b"))
    assert top(repository_index(site(first, second)), "library/pause", "3.5") == digest(f"{PAUSE}a top")


@pytest.mark.parametrize("about", ["images", "names", "digest", "media_type"])
@pytest.mark.parametrize("value", [None, 3, "text", ["a b", 4], {"a": 1}])
def test_what_an_index_says_of_images_may_be_anything(about: str, value: Json) -> None:
    listed = bundle(image(PAUSE), image(FLANNEL))
    odd = tuple(
        replace(file, about=decode_about({**encode_about(file.about), about: value}))
        if file.blob == image(FLANNEL).top
        else file
        for file in listed.index.files
    )
    listed = replace(listed, index=replace(listed.index, files=odd))
    assert top(repository_index(site(listed, current=listed)), "library/pause", "3.5") == digest(f"{PAUSE} top")


def test_a_site_without_images_has_no_names() -> None:
    assert list(repository_index(site(bundle())).site_names) == []
    assert list(repository_index(site()).originals) == []


@pytest.mark.parametrize(
    ("namespace", "own"),
    [("[2001:db8::1]:8088", "2001:db8::1"), ("[2001:db8::1]", "2001:db8::1"), ("Master:8088", "master")],
)
def test_the_mirror_s_own_name_in_all_its_forms(namespace: str, own: str) -> None:
    assert index_of_images(image(PAUSE)).find("library/pause", namespace, own) is not None
    assert index_of_images(image(PAUSE)).find("library/pause", namespace, "other") is None


def test_a_repository_of_many_tags_takes_steps_by_their_number_only() -> None:
    # eight times as many: with each image compared with all before it, it would be sixty-four times
    assert _steps_of_tags(1600) < 12 * _steps_of_tags(200)


def _steps_of_tags(count: int) -> int:
    """Return how many lines are run to know the tags of a repository with so many."""
    only = bundle()
    files = []
    for number in range(count):
        document = blob(f"document {number}")
        name = Reference("quay.io", "coreos/flannel", str(number))
        about = ImageAbout(OCI_MANIFEST, (name,), TopAbout((name,), (AMD64,), document.digest, None))
        path = BundlePath(f"k8simage/blobs/sha256/{document.digest.hex}")
        files.append(IndexedFile(path, document, 0o644, "images", (), (AMD64,), about))

    def find() -> ServedRepository | None:
        many = loaded(replace(only.index, files=tuple(files)))
        return repository_index(site(many, current=many)).find("coreos/flannel", "", HOST)

    repository = find()
    assert repository is not None
    assert len(repository.tags) == count
    return executed_lines(find)
