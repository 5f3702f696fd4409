"""Pushing through an engine in memory: what it is asked, what names it has afterwards, what a failure does."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from bundler.archive.bundled_images import open_images
from bundler.errors import BundlerError, ErrorId, PublishError
from bundler.model.platform import Platform
from bundler.net.registry.credentials import OneLogin, RegistryLogin
from bundler.net.retry import Retry
from bundler.push.engine_errors import refused_push
from bundler.push.engine_push import EnginePush, platform_obstacles, push_through_engine
from bundler.push.push_plan import PushPlan, PushSettings, push_plan
from bundler.push.push_report import Projects, PushReport
from bundler.push.registry_push import push
from tests.fakes.engine import MemoryEngine
from tests.fakes.progress import RecordingProgress
from tests.fakes.registry_writer import MemoryWriter
from tests.integration.placed_images import AMD64, ARM64, PlacedImages, place_images

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from bundler.push.push_state import OnExistingTag

APP, PAUSE, BOTH = "docker.io/demo/app:1", "registry.k8s.io/pause:3.5", "quay.io/both:2"
LOGIN = RegistryLogin("admin", "s3cret", "a test")
HERE = "master/demo/app:1"
ALL = {"demo/app:1", "library/both:2", "library/pause:3.5"}


@pytest.fixture(scope="module")
def images(tmp_path_factory: pytest.TempPathFactory) -> PlacedImages:
    return place_images(tmp_path_factory.mktemp("made"), {APP: (AMD64,), PAUSE: (AMD64,), BOTH: (AMD64, ARM64)})


@pytest.fixture(scope="module")
def root(images: PlacedImages, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return images.write_bundle(tmp_path_factory.mktemp("root"))


def plan_of(root: Path, settings: PushSettings) -> PushPlan:
    with open_images(root) as opened:
        return push_plan(opened.images, settings)


def run(
    root: Path,
    engine: MemoryEngine,
    *,
    settings: PushSettings = PushSettings(platform=AMD64),  # noqa: B008 - frozen
    existing: OnExistingTag = "fail",
    dry_run: bool = False,
    projects: Projects | None = None,
    pauses_s: list[float] | None = None,
) -> PushReport:
    assert engine.registry is not None
    waited = [] if pauses_s is None else pauses_s
    retry = Retry(attempts=3, sleep=waited.append, jitter=lambda: 1.0)
    with open_images(root) as held:
        through = EnginePush(
            held, engine, "master", engine.registry, OneLogin("master", LOGIN), retry, RecordingProgress()
        )
        plan = plan_of(root, settings)
        return push_through_engine(plan, through, on_existing_tag=existing, dry_run=dry_run, projects=projects)


def outcomes(report: PushReport) -> dict[str, str]:
    return {result.push.name: result.outcome for result in report.results}


def errors(report: PushReport) -> dict[str, BundlerError]:
    return {result.push.name: result.error for result in report.results if result.error is not None}


def failing(name: str, *said: str) -> Callable[[str], None]:
    """Return what refuses a name so often, with these words, and lets it pass then."""
    left = list(said)

    def refuse(asked: str) -> None:
        if asked == name and left:
            raise refused_push(left.pop(0), asked)

    return refuse


def test_everything_is_pushed_under_the_plans_names_and_a_second_run_pushes_nothing(
    root: Path, images: PlacedImages
) -> None:
    registry = MemoryWriter()
    engine = MemoryEngine(registry=registry)
    report = run(root, engine)
    assert outcomes(report) == dict.fromkeys(ALL, "pushed")
    assert [name for name, _ in engine.pushed] == [f"master/{name}" for name in sorted(ALL)]
    assert {login for _, login in engine.pushed} == {LOGIN}
    assert str(registry.config_digest("demo/app", "1")) == images.ids[APP]["linux/amd64"]
    assert (report.sent.blobs, report.sent.blob_bytes, report.sent.mounted) == (3, 12, 3)
    assert outcomes(run(root, engine)) == dict.fromkeys(ALL, "present")
    assert len(engine.pushed) == 3


def test_every_layer_is_shown_once_and_never_past_its_size(root: Path) -> None:
    engine, progress = MemoryEngine(registry=MemoryWriter()), RecordingProgress()
    assert engine.registry is not None
    with open_images(root) as held:
        through = EnginePush(held, engine, "master", engine.registry, OneLogin("master", LOGIN), Retry(), progress)
        plan = plan_of(root, PushSettings(only=("*app*",)))
        push_through_engine(plan, through, on_existing_tag="fail")
    shown = [(task.label, task.total_bytes, task.advanced, task.outcome) for task in progress.tasks]
    assert shown[1:] == [
        ("demo/app:1", None, 0, "pushed"),
        ("demo/app a1", 4, 4, ""),
        ("demo/app b2", None, 0, "present"),
        ("demo/app c3", None, 0, "taken over"),
    ]


def test_names_of_the_registry_are_gone_again_unless_they_were_there(root: Path) -> None:
    engine = MemoryEngine(registry=MemoryWriter())
    run(root, engine)
    assert [name for name in engine.images if name.startswith("master/")] == []
    engine = MemoryEngine(registry=MemoryWriter(), images={HERE: "sha256:old", "sha256:old": "sha256:old"})
    run(root, engine)
    assert engine.images[HERE] == "sha256:old"
    engine = MemoryEngine(registry=MemoryWriter(), before_push=failing(HERE, "denied: no"))
    run(root, engine)
    assert HERE not in engine.images


def test_a_name_that_the_image_has_already_stays(root: Path, images: PlacedImages) -> None:
    own = images.ids[APP]["linux/amd64"]
    engine = MemoryEngine(registry=MemoryWriter(), images={HERE: own, own: own})
    assert outcomes(run(root, engine))["demo/app:1"] == "pushed"
    assert engine.images[HERE] == own


def test_one_failure_leaves_the_others_and_tells_the_registrys_code(root: Path) -> None:
    words = "denied: requested access to the resource is denied"
    engine = MemoryEngine(registry=MemoryWriter(), before_push=failing(HERE, words))
    report = run(root, engine)
    assert outcomes(report) == dict.fromkeys(ALL, "pushed") | {"demo/app:1": "failed"}
    error = errors(report)["demo/app:1"]
    assert isinstance(error, PublishError)
    assert (error.id, error.code) == (ErrorId.PUSH_UNAUTHORIZED, "DENIED")
    assert words in str(error)
    assert "s3cret" not in error.text()


def test_what_may_pass_is_tried_again_with_backoff(root: Path) -> None:
    busy = ("toomanyrequests: slow down", "received unexpected HTTP status: 503 Service Unavailable")
    pauses_s: list[float] = []
    engine = MemoryEngine(registry=MemoryWriter(), before_push=failing(HERE, *busy))
    assert outcomes(run(root, engine, pauses_s=pauses_s)) == dict.fromkeys(ALL, "pushed")
    assert pauses_s == [0.5, 1.0]
    engine = MemoryEngine(registry=MemoryWriter(), before_push=failing(HERE, *busy, "EOF"))
    assert errors(run(root, engine))["demo/app:1"].id == ErrorId.PUSH_UNREACHABLE


@pytest.mark.parametrize(("existing", "outcome"), [("fail", "failed"), ("skip", "skipped"), ("overwrite", "pushed")])
def test_a_tag_that_stands_for_another_image(existing: OnExistingTag, outcome: str, root: Path) -> None:
    registry = MemoryWriter()
    registry.put_manifest("demo/app", "1", "x/y", b"another")
    before = registry.manifest_digest("demo/app", "1")
    report = run(root, MemoryEngine(registry=registry), existing=existing)
    (result,) = (one for one in report.results if one.push.name == "demo/app:1")
    assert (result.outcome, result.before) == (outcome, before)


def test_another_image_under_the_name_afterwards_is_told(root: Path) -> None:
    registry = MemoryWriter()
    engine = MemoryEngine(registry=registry, by_manifest=True)
    report = run(root, engine, settings=PushSettings(only=("*app*",)))
    # this engine's id is the manifest's digest, and a config of that digest is another image
    assert errors(report)["demo/app:1"].id == ErrorId.PUSH_REFUSED
    assert "image id is not" in str(errors(report)["demo/app:1"])


def test_a_run_that_sends_nothing_asks_nothing_of_the_engine(root: Path) -> None:
    engine = MemoryEngine(registry=MemoryWriter())
    assert outcomes(run(root, engine, dry_run=True)) == dict.fromkeys(ALL, "missing")
    assert engine.images == {}


def test_projects_that_cannot_be_had_and_those_that_are_empty(root: Path) -> None:
    registry = MemoryWriter()
    refused = PublishError(ErrorId.PUSH_PROJECT_REFUSED, "no", remedy="Ask.")
    report = run(root, MemoryEngine(registry=registry), projects=Projects(("library",), {"demo": refused}))
    assert outcomes(report) == dict.fromkeys(ALL, "pushed") | {"demo/app:1": "failed"}
    assert not any(" demo/app " in call for call in registry.calls)


def test_which_images_an_engine_cannot_push_whole(root: Path) -> None:
    whole, amd64 = plan_of(root, PushSettings()), plan_of(root, PushSettings(platform=AMD64))
    assert platform_obstacles(whole, (AMD64,)) == (f"{BOTH} is for linux/amd64, linux/arm64",)
    assert platform_obstacles(amd64, (AMD64,)) == ()
    assert len(platform_obstacles(amd64, (Platform("linux", "arm64"),))) == 3


def test_what_an_engine_has_packed_is_present_for_a_straight_push_too(root: Path) -> None:
    registry = MemoryWriter()
    engine = MemoryEngine(registry=registry)
    run(root, engine)
    packed = {name: registry.manifest_digest(*name.split(":")) for name in ALL}
    with open_images(root) as held:
        plan = push_plan(held.images, PushSettings(platform=AMD64))
        again = push(plan, held, registry, RecordingProgress(), jobs=2, on_existing_tag="fail")
    assert outcomes(again) == dict.fromkeys(ALL, "present")
    assert {result.push.name: result.packed for result in again.results} == packed
    # and the engine's own second run says the same
    assert {result.packed for result in run(root, engine).results} == set(packed.values())


def test_one_platform_of_an_image_for_several_is_not_that_image(root: Path) -> None:
    registry = MemoryWriter()
    run(root, MemoryEngine(registry=registry))
    with open_images(root) as held:
        plan = push_plan(held.images, PushSettings())
        again = push(plan, held, registry, RecordingProgress(), jobs=2, on_existing_tag="fail")
    assert outcomes(again) == {"demo/app:1": "present", "library/pause:3.5": "present", "library/both:2": "failed"}
