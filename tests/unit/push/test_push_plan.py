"""What goes where: names, projects, choices, and that no name means two images."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bundler.errors import ErrorId, PublishError
from bundler.model.image.bundled import media_type
from bundler.model.image.oci import INDEX_TYPES
from bundler.model.image.site_name import site_name
from bundler.model.platform import Platform
from bundler.model.reference import Reference
from bundler.push.push_plan import Names, ProjectRule, PushPlan, PushSettings, push_plan, target_repositories
from tests.unit.push.planned_images import image

PAUSE = image("registry.k8s.io/pause:3.5")
FLANNEL = image("quay.io/coreos/flannel:v0.14.0")
DIGEST = f"sha256:{'a' * 64}"


def names(plan: PushPlan) -> list[str]:
    return [push.name for push in plan.pushes]


def rules(*texts: str) -> tuple[ProjectRule, ...]:
    return tuple(map(ProjectRule.parse, texts))


@pytest.mark.parametrize(
    ("projects", "form", "want"),
    [
        ((), None, ["coreos/flannel:v0.14.0", "library/pause:3.5"]),
        ((), "last", ["library/flannel:v0.14.0", "library/pause:3.5"]),
        (("k8s",), None, ["k8s/flannel:v0.14.0", "k8s/pause:3.5"]),
        (("quay.io/*=net",), None, ["library/pause:3.5", "net/flannel:v0.14.0"]),
        (("*/flannel:*=net", "k8s"), None, ["k8s/pause:3.5", "net/flannel:v0.14.0"]),
        (("k8s",), "both", ["coreos/flannel:v0.14.0", "k8s/flannel:v0.14.0", "k8s/pause:3.5", "library/pause:3.5"]),
        (("quay.io/*=net",), "both", ["coreos/flannel:v0.14.0", "library/pause:3.5", "net/flannel:v0.14.0"]),
        (("k8s",), "path", ["coreos/flannel:v0.14.0", "library/pause:3.5"]),
    ],
)
def test_names(projects: tuple[str, ...], form: Names | None, want: list[str]) -> None:
    plan = push_plan([PAUSE, FLANNEL], PushSettings(rules(*projects), form))
    assert names(plan) == want
    assert plan.projects == tuple(sorted({name.partition("/")[0] for name in want}))


def test_an_image_that_is_known_by_its_digest_alone_is_pushed_by_digest() -> None:
    pinned = image(f"quay.io/a/b@{DIGEST}")
    assert names(push_plan([pinned], PushSettings())) == [f"a/b@{pinned.digest}"]


@pytest.mark.parametrize("glob", ["quay.io/*", "*flannel*", "coreos/flannel:v0.14.0"])
def test_only_some_images(glob: str) -> None:
    assert names(push_plan([PAUSE, FLANNEL], PushSettings(only=(glob,)))) == ["coreos/flannel:v0.14.0"]


def test_an_image_with_a_name_that_matches_is_pushed_under_all_of_them() -> None:
    known_twice = image("registry.k8s.io/pause:3.5", "docker.io/kubeedge/pause:3.5")
    plan = push_plan([known_twice, FLANNEL], PushSettings(only=("registry.k8s.io/*",)))
    assert names(plan) == ["kubeedge/pause:3.5", "library/pause:3.5"]


def test_one_platform_is_one_manifest_and_its_blobs() -> None:
    plan = push_plan([FLANNEL], PushSettings(platform=Platform.parse("linux/arm64/v8")))
    (push,) = plan.pushes
    assert push.document in FLANNEL.manifests
    assert not push.whole
    assert {str(platform) for file in push.files for platform in file.platforms} == {"linux/arm64"}
    assert len(push.files) == 2


def test_all_platforms_are_everything_but_the_index_of_the_upstream() -> None:
    (push,) = push_plan([FLANNEL], PushSettings()).pushes
    assert push.digest == FLANNEL.digest
    assert [media_type(file) in INDEX_TYPES for file in push.files] == [True, False, False, False, False]


@pytest.mark.parametrize(
    "settings",
    [PushSettings(only=("nothing*",)), PushSettings(platform=Platform.parse("linux/s390x"))],
    ids=["name", "platform"],
)
def test_nothing_to_push_is_told(settings: PushSettings) -> None:
    with pytest.raises(PublishError) as caught:
        push_plan([PAUSE, FLANNEL], settings)
    assert caught.value.id == ErrorId.PUSH_NOTHING


def test_the_same_image_twice_under_one_name_is_pushed_once() -> None:
    twice = [image("a.example/x/app:1", content="same"), image("b.example/x/app:1", content="same")]
    assert names(push_plan(twice, PushSettings())) == ["x/app:1"]


def test_two_images_under_one_name_are_told_with_both_digests() -> None:
    first, second = image("a.example/x/app:1"), image("b.example/y/app:1")
    with pytest.raises(PublishError) as caught:
        push_plan([first, second, PAUSE], PushSettings(rules("k8s")))
    assert caught.value.id == ErrorId.PUSH_NAME_CONFLICT
    assert caught.value.problems == (
        f"k8s/app:1 would be a.example/x/app:1 ({first.digest}) and b.example/y/app:1 ({second.digest})",
    )


HOSTS = st.sampled_from(["a.example", "b.example", "docker.io"])
PATHS = st.lists(st.sampled_from(["x", "y", "z"]), min_size=1, max_size=3).map("/".join)
REFERENCES = st.builds("{}/{}:{}".format, HOSTS, PATHS, st.sampled_from(["1", "2"]))


@given(
    st.dictionaries(REFERENCES, st.sampled_from("abc"), min_size=1, max_size=8),
    st.sampled_from([None, "path", "last", "both"]),
    st.sampled_from([(), ("p",), ("*x*=q",), ("*:1=q", "p")]),
)
def test_a_name_never_means_two_images(wanted: dict[str, str], form: Names | None, projects: tuple[str, ...]) -> None:
    images = [image(name, content=content) for name, content in wanted.items()]
    settings = PushSettings(rules(*projects), form)
    claims: dict[str, set[str]] = {}
    for one in images:
        for repository in target_repositories(one.names[0], settings):
            claims.setdefault(f"{repository}:{one.names[0].tag}", set()).add(str(one.digest))
    conflicts = sum(len(digests) > 1 for digests in claims.values())
    if conflicts:
        with pytest.raises(PublishError) as caught:
            push_plan(images, settings)
        assert caught.value.id == ErrorId.PUSH_NAME_CONFLICT
        assert len(caught.value.problems) == conflicts
        return
    plan = push_plan(images, settings)
    assert len(names(plan)) == len(set(names(plan)))
    assert {push.digest for push in plan.pushes} == {one.digest for one in images}
    assert names(push_plan(reversed(images), settings)) == names(plan)


@pytest.mark.parametrize("text", ["", "K8s", "a b", "=k8s", "x*=", "a__b"])
def test_projects_that_harbor_does_not_accept(text: str) -> None:
    with pytest.raises(ValueError, match=r"project|pattern"):
        ProjectRule.parse(text)


def test_repositories_that_harbor_cannot_hold_are_told() -> None:
    plan = push_plan([image("docker.io/my__org/app:1"), PAUSE], PushSettings())
    (problem,) = plan.harbor_problems
    assert problem.startswith("docker.io/my__org/app:1 -> my__org/app:1: Harbor accepts no project named 'my__org'")


@given(st.lists(REFERENCES, min_size=1, max_size=4, unique=True))
def test_the_names_are_those_of_the_mirror_and_of_the_script_that_travels(wanted: list[str]) -> None:
    for name in map(Reference.parse, wanted):
        (plain,) = push_plan([image(str(name))], PushSettings()).pushes
        assert plain.name == site_name(name)
        (below,) = push_plan([image(str(name))], PushSettings(rules("p"))).pushes
        assert below.name == f"p/{site_name(name).rpartition('/')[2]}"
