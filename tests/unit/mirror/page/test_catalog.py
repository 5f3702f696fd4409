"""What a bundle holds, and how it is found."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bundler.model.bundle import BundleIndex
from bundler.model.digest import Digest
from bundler.model.image.oci import DOCKER_MANIFEST, OCI_INDEX
from mirror.page.catalog_packing import MAX_NAMES
from mirror.page.pages import catalog_of
from tests.fakes.served_tree import AMD64, ARM64, MIB, image, kubeedge_files, listed, rpm
from tests.unit.mirror.sites import NOTHING, loaded, packed_site

if TYPE_CHECKING:
    from collections.abc import Iterable

    import pytest

    from bundler.model.bundle import IndexedFile
    from mirror.page.catalog import Catalog, Item


def made(files: Iterable[IndexedFile]) -> Catalog:
    """Return the catalog of some files, packed and read again."""
    site = packed_site(loaded(BundleIndex("kit", "1", NOTHING, NOTHING, (), tuple(files))))
    return catalog_of(site.bundles[0])


CATALOG = made(kubeedge_files())


def _titles(search: str, group: str | None = None) -> list[str]:
    return [item.title for item in CATALOG.find(search, group).items]  # type: ignore[arg-type] # a test's word


def test_content_is_counted_as_people_count_it() -> None:
    assert dict(CATALOG.counts) == {"rpm": 12, "image": 7, "file": 5, "other": 24}
    assert CATALOG.repositories == {"yum"}
    assert CATALOG.layouts == {"k8simage"}


def test_every_word_has_to_match_in_any_order_and_case() -> None:
    assert _titles("CLUSTER kubectl") == ["kubectl-1.22.1-0.x86_64"]
    assert _titles("cluster no-such-word") == []


def test_what_begins_with_the_word_comes_first() -> None:
    assert _titles("docker")[0].startswith("docker-ce")
    assert _titles("kubeedge")[0].startswith("kubeedge/")


def test_image_is_found_by_its_other_names_and_has_its_layers_size() -> None:
    (found,) = CATALOG.find("k8s.gcr.io/kube-proxy", "image").items
    assert found.title == "registry.k8s.io/kube-proxy:v1.22.1"
    assert found.size == 40 * MIB + 1024
    (both,) = made(image("a/b:1", platforms=(AMD64, ARM64))).images_in("k8simage")
    assert both.size == 80 * MIB + 1024
    assert both.platforms == ("linux/amd64", "linux/arm64")


def test_an_image_s_size_is_that_of_what_the_registry_gives() -> None:
    name = "docker.io/a/b:1"
    path = f"k8simage/blobs/sha256/{Digest.sha256(b'top').hex}"
    own = str(listed(path, 0).blob.digest)
    top = listed(path, 500, "images", media_type=DOCKER_MANIFEST, images=[name], names=[name], digest=own)
    layer = listed("k8simage/blobs/sha256/layer", MIB, "images", media_type="layer", images=[name])
    view = listed("k8simage/blobs/sha256/view", 300, "images", media_type=OCI_INDEX, images=[name])
    (found,) = made([top, layer, view]).images_in("k8simage")
    assert found.size == MIB + 500


def test_layers_come_by_digest_alone() -> None:
    digest = next(item.digest for item in CATALOG.items if item.group == "other" and item.names)
    assert [item.digest for item in CATALOG.find(digest[:8], None).items] == [digest]
    assert [item.digest for item in CATALOG.find(f"sha256:{digest}", None).items] == [digest]
    assert list(CATALOG.find(digest[:7], None).items) == []
    assert all(item.group == "image" for item in CATALOG.find("flannel", None).items)


def test_empty_search_lists_a_group() -> None:
    assert len(_titles("", "rpm")) == 12
    assert _titles(" ") == [item.title for item in CATALOG.items]


def test_about_of_wrong_types_counts_as_absent() -> None:
    odd = listed("a", 1, nevra=["x"], names="x", url=3, held_to="x", images={"a": 1}, media_type=None)
    (item,) = made([odd]).items
    assert (item.group, item.title, item.note, item.names, item.vouched) == ("other", "a", "", (), ("", ""))


def test_names_without_end_are_cut() -> None:
    names = [f"a/b:{number}" for number in range(10_000)]
    (found,) = made(image(names[0], also=names[1:])).find("", "image").items
    (layer,) = made([listed("a", 1, images=names)]).items
    assert len(found.names) == len(layer.names) == MAX_NAMES


def test_order_does_not_depend_on_the_index() -> None:
    files = [rpm("yum", "b-1-1.noarch", "b"), rpm("yum", "a-1-1.noarch", "a"), listed("z", 1)]
    assert list(made(files).items) == list(made(reversed(files)).items)
    assert Digest.sha256(b"z").hex == made(files).items[-1].digest


def test_a_search_makes_only_the_things_that_are_looked_at(monkeypatch: pytest.MonkeyPatch) -> None:
    read: list[int] = []
    catalog = made(listed(f"files/{number}", 1) for number in range(3000))
    make = catalog._item

    def counted(number: int) -> Item:
        read.append(number)
        return make(number)

    monkeypatch.setattr(catalog, "_item", counted)
    found = catalog.find("files", None)
    assert (len(found.items), dict(found.counts), read) == (3000, {"other": 3000}, [])
    assert len(found.items[2000:2100]) == 100
    assert len(list(found.items[2000:2003])) == len(read) == 3
