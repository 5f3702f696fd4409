"""Loading images into an engine in memory: what is chosen, what each ends as, what an archive holds."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from bundler.errors import BundleFormatError, ErrorId, IntegrityError, SiteError
from bundler.model.digest import Digest
from bundler.model.platform import Platform
from bundler.push.loading import LoadOutcome, load_images, require_loaded
from tests.fakes.engine import MemoryEngine
from tests.fakes.progress import RecordingProgress
from tests.integration.placed_images import AMD64, ARM64, ARMV7, PlacedImages, place_images

if TYPE_CHECKING:
    from pathlib import Path

APP, TOOL, EDGE, ALIAS = "docker.io/demo/app:1", "quay.io/tool:2", "docker.io/library/edge:1", "docker.io/x/alias:9"
LARGE_BYTES = 3 * 1024 * 1024


@pytest.fixture(scope="module")
def images(tmp_path_factory: pytest.TempPathFactory) -> PlacedImages:
    wishes = {APP: (AMD64, ARM64, ARMV7), TOOL: (AMD64,), EDGE: (ARM64,)}
    return place_images(tmp_path_factory.mktemp("made"), wishes, {"app": ALIAS}, filler_bytes=LARGE_BYTES)


@pytest.fixture
def root(images: PlacedImages, tmp_path: Path) -> Path:
    return images.write_bundle(tmp_path)


def outcomes(root: Path, engine: MemoryEngine) -> dict[str, LoadOutcome]:
    report = load_images(root, engine, RecordingProgress())
    return {one.image.title: one.outcome for one in report.results}


@pytest.mark.parametrize("by_manifest", [False, True])
def test_either_form_of_image_id(by_manifest: bool, root: Path, images: PlacedImages) -> None:
    engine, progress = MemoryEngine(by_manifest=by_manifest), RecordingProgress()
    report = load_images(root, engine, progress)
    require_loaded(report)
    assert {one.image.title: one.outcome for one in report.results} == {APP: "loaded", TOOL: "loaded"}
    assert [list(map(str, names)) for names in report.elsewhere] == [[EDGE]]
    assert {APP, ALIAS, TOOL} <= set(engine.images)
    assert (engine.images[APP] == images.ids[APP]["linux/amd64"]) is not by_manifest
    assert [(task.outcome, task.advanced == task.total_bytes) for task in progress.tasks] == [("loaded", True)] * 2
    assert progress.expected == sum(task.advanced for task in progress.tasks)
    assert outcomes(root, engine) == {APP: "present", TOOL: "present"}


def test_only_what_is_lacking_is_expected(root: Path) -> None:
    engine, progress = MemoryEngine(), RecordingProgress()
    load_images(root, engine, RecordingProgress())
    del engine.images[TOOL]
    report = load_images(root, engine, progress)
    assert [one.outcome for one in report.results] == ["present", "loaded"]
    assert [(task.outcome, task.total_bytes) for task in progress.tasks] == [
        ("present", 0),
        ("loaded", progress.expected),
    ]


def test_an_image_travels_in_pieces(root: Path) -> None:
    engine = MemoryEngine()
    load_images(root, engine, RecordingProgress())
    assert engine.longest_block <= 1024 * 1024 < LARGE_BYTES


def test_the_best_platform_of_an_arm_host(root: Path, images: PlacedImages) -> None:
    engine = MemoryEngine(runs=tuple(Platform("linux", "arm", variant) for variant in ("v7", "v6")))
    load_images(root, engine, RecordingProgress())
    assert engine.images[APP] == images.ids[APP]["linux/arm/v7"]


def test_every_failure_is_told_and_the_first_one_decides(root: Path) -> None:
    table = (root / "k8simage/manifest.json").read_text()
    layers = {item["RepoTags"][0]: root / "k8simage" / item["Layers"][-1] for item in json.loads(table)}
    layers[APP].write_bytes(b"other bytes")

    def refuse(_: list[str]) -> None:
        raise SiteError(ErrorId.ENGINE_REFUSED, "the engine refused: no", remedy="Mend it.", step="docker")

    engine = MemoryEngine(before_load=refuse)
    report = load_images(root, engine, RecordingProgress())
    assert [one.outcome for one in report.results] == ["failed", "failed"]
    with pytest.raises(IntegrityError, match=str(layers[APP])) as caught:
        require_loaded(report)
    (problem,) = caught.value.problems
    assert problem.endswith("[engine-refused]")
    assert engine.images == {}


def test_an_engine_that_gave_a_name_to_something_else(root: Path) -> None:
    engine = MemoryEngine()
    engine.before_load = lambda names: names.remove(ALIAS) if ALIAS in names else None
    engine.images[ALIAS] = "sha256:stranger"
    report = load_images(root, engine, RecordingProgress())
    assert [one.outcome for one in report.results] == ["failed", "loaded"]
    with pytest.raises(SiteError, match=f"{ALIAS} is sha256:stranger") as caught:
        require_loaded(report)
    assert caught.value.id == ErrorId.ENGINE_IMAGE_DIFFERS


def test_a_link_in_place_of_a_blob_is_not_followed(root: Path, tmp_path_factory: pytest.TempPathFactory) -> None:
    item = json.loads((root / "k8simage/manifest.json").read_text())[0]
    layer = root / "k8simage" / item["Layers"][-1]
    elsewhere = tmp_path_factory.mktemp("elsewhere") / "copy"
    layer.rename(elsewhere)
    layer.symlink_to(elsewhere)
    with pytest.raises(IntegrityError, match="no regular file"):
        require_loaded(load_images(root, MemoryEngine(), RecordingProgress()))


def test_an_image_by_digest_alone_is_known_by_its_id(tmp_path: Path) -> None:
    made = place_images(tmp_path / "made", {APP: (AMD64,)})
    by_digest = f"docker.io/demo/app@{made.digests[APP]}"
    root = made.write_bundle(tmp_path / "root")
    _rewrite_table(root, APP, by_digest)
    engine = MemoryEngine(before_load=lambda names: pytest.fail(f"a tag {names}") if names else None)
    assert outcomes(root, engine) == {by_digest: "loaded"}
    assert outcomes(root, engine) == {by_digest: "present"}


def _rewrite_table(root: Path, old: str, new: str) -> None:
    """Change a name in images.tsv, and its digest in bundle.json along with it."""
    table, index = root / "k8simage/images.tsv", root / "bundle.json"
    before = table.read_bytes()
    after = before.replace(old.encode(), new.encode())
    table.write_bytes(after)
    listed = json.loads(index.read_text())
    (own,) = (file for file in listed["files"] if file["path"] == "k8simage/images.tsv")
    own |= {"size": len(after), "sha256": Digest.sha256(after).hex}
    index.write_text(json.dumps(listed))


@pytest.mark.parametrize("only", [(), ("nothing*",)])
def test_nothing_for_this_host(only: tuple[str, ...], root: Path) -> None:
    with pytest.raises(BundleFormatError) as caught:
        load_images(root, MemoryEngine(runs=(Platform("linux", "s390x"),)), RecordingProgress(), only=only)
    assert caught.value.id == ErrorId.IMAGE_NOT_IN_BUNDLE
