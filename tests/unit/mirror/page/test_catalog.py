"""What a bundle holds, and how it is found."""

from __future__ import annotations

from bundler.model.digest import Digest
from bundler.model.image.oci import DOCKER_MANIFEST, OCI_INDEX
from mirror.page.catalog import MAX_NAMES, make_catalog
from tests.fakes.served_tree import AMD64, ARM64, MIB, image, kubeedge_files, listed, rpm

CATALOG = make_catalog(kubeedge_files())


def _titles(search: str, group: str | None = None) -> list[str]:
    return [item.title for item in CATALOG.find(search, group)]  # type: ignore[arg-type] # a test's word


def test_content_is_counted_as_people_count_it() -> None:
    assert dict(CATALOG.counts) == {"rpm": 12, "image": 7, "file": 5, "other": 24}
    assert CATALOG.repositories == {"yum"}
    assert CATALOG.layouts == {"k8simage"}
    assert CATALOG.totals[""].files == 48
    assert CATALOG.totals["yum/repodata"].size == 4 * 4096


def test_every_word_has_to_match_in_any_order_and_case() -> None:
    assert _titles("CLUSTER kubectl") == ["kubectl-1.22.1-0.x86_64"]
    assert _titles("cluster no-such-word") == []


def test_what_begins_with_the_word_comes_first() -> None:
    assert _titles("docker")[0].startswith("docker-ce")
    assert _titles("kubeedge")[0].startswith("kubeedge/")


def test_image_is_found_by_its_other_names_and_has_its_layers_size() -> None:
    (found,) = CATALOG.find("k8s.gcr.io/kube-proxy", "image")
    assert found.title == "registry.k8s.io/kube-proxy:v1.22.1"
    assert found.size == 40 * MIB + 1024
    (both,) = make_catalog(image("a/b:1", platforms=(AMD64, ARM64))).images_in("k8simage")
    assert both.size == 80 * MIB + 1024
    assert both.platforms == ("linux/amd64", "linux/arm64")


def test_an_image_s_size_is_that_of_what_the_registry_gives() -> None:
    name = "docker.io/a/b:1"
    path = f"k8simage/blobs/sha256/{Digest.sha256(b'top').hex}"
    own = str(listed(path, 0).blob.digest)
    top = listed(path, 500, "images", media_type=DOCKER_MANIFEST, images=[name], names=[name], digest=own)
    layer = listed("k8simage/blobs/sha256/layer", MIB, "images", media_type="layer", images=[name])
    view = listed("k8simage/blobs/sha256/view", 300, "images", media_type=OCI_INDEX, images=[name])
    (found,) = make_catalog([top, layer, view]).images_in("k8simage")
    assert found.size == MIB + 500


def test_layers_come_by_digest_alone() -> None:
    digest = next(item.digest for item in CATALOG.items if item.group == "other" and item.names)
    assert [item.digest for item in CATALOG.find(digest[:8], None)] == [digest]
    assert [item.digest for item in CATALOG.find(f"sha256:{digest}", None)] == [digest]
    assert CATALOG.find(digest[:7], None) == []
    assert all(item.group == "image" for item in CATALOG.find("flannel", None))


def test_empty_search_lists_a_group() -> None:
    assert len(_titles("", "rpm")) == 12
    assert _titles(" ") == [item.title for item in CATALOG.items]


def test_about_of_wrong_types_counts_as_absent() -> None:
    odd = listed("a", 1, nevra=["x"], names="x", url=3, held_to="x", images={"a": 1}, media_type=None)
    (item,) = make_catalog([odd]).items
    assert (item.group, item.title, item.note, item.names, item.vouched) == ("other", "a", "", (), ("", ""))


def test_names_without_end_are_cut() -> None:
    names = [f"a/b:{number}" for number in range(10_000)]
    (found,) = make_catalog(image(names[0], also=names[1:])).find("", "image")
    (layer,) = make_catalog([listed("a", 1, images=names)]).items
    assert len(found.names) == len(layer.names) == MAX_NAMES


def test_order_does_not_depend_on_the_index() -> None:
    files = [rpm("yum", "b-1-1.noarch", "b"), rpm("yum", "a-1-1.noarch", "a"), listed("z", 1)]
    assert make_catalog(files).items == make_catalog(reversed(files)).items
    assert Digest.sha256(b"z").hex == make_catalog(files).items[-1].digest
