"""What `mirror verify` finds at a registry, over one in memory."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace

import pytest

from bundler.errors import ErrorId, IntegrityError, SourceError
from bundler.model.digest import Blob
from bundler.model.image.oci import DOCKER_INDEX, OCI_INDEX
from bundler.model.image.reference import Reference
from mirror.probe import failures
from mirror.probe.expected import Expectation, WantedImage, listed_images, locked_image
from mirror.probe.interface import RegistryPlace
from mirror.probe.mirror_report import MirrorReport, require_good
from mirror.probe.registry_check import check_registry
from mirror.probe.retry import ATTEMPTS, Pace
from tests.fakes.progress import RecordingProgress
from tests.fakes.registry_place import WHERE, MemoryRegistryPlace
from tests.unit.mirror.registry import image_sites

SHARED = b"a layer that both images have"
PLATFORMS = ("linux/amd64", "linux/arm64")
NAMES = {"demo/app": "quay.io/demo/app:1", "library/pause": "registry.k8s.io/pause:3.5"}


def registry_of() -> tuple[MemoryRegistryPlace, tuple[WantedImage, ...]]:
    """Return a registry with two images of two platforms, and what it should have."""
    place = MemoryRegistryPlace()
    images = []
    for repository, name in NAMES.items():
        reference = Reference.parse(name)
        top = place.add_image(repository, reference.tag, PLATFORMS, [SHARED])
        images.append(WantedImage((reference,), top, OCI_INDEX))
    return place, tuple(images)


def check(
    place: MemoryRegistryPlace, images: tuple[WantedImage, ...], *, certain: bool = True, jobs: int = 4
) -> MirrorReport | None:
    expected = Expectation("00", "kit 1", {}, (), images)
    pace = Pace(jobs, lambda _: None, lambda: 0.0)
    return check_registry(RegistryPlace(WHERE, place, certain), expected, RecordingProgress(), pace)


def checked(place: MemoryRegistryPlace, images: tuple[WantedImage, ...]) -> MirrorReport:
    report = check(place, images)
    assert report is not None
    return report


@pytest.mark.parametrize("jobs", [1, 4])
def test_all_as_bundled_and_every_blob_once(jobs: int) -> None:
    place, images = registry_of()
    report = check(place, images, jobs=jobs)
    assert report is not None
    # of each image: the index by tag and digest, two manifests, two configs; the layers are the same in both
    assert (report.good, report.files, report.intact) == (True, 2 * (2 + 2 + 2) + 3 * 2, 18)
    asked = Counter(place.asked)
    assert set(asked.values()) == {1}
    fetched = Counter(path.rpartition("/")[2] for method, path in asked if method == "GET" and "/blobs/" in path)
    assert len(fetched) == 4 + 3
    assert set(fetched.values()) == {1}
    assert sum(1 for method, _ in asked if method == "HEAD") == 1 + 3
    assert {path for _, path in asked} == set(place.answers)


def test_a_byte_of_a_layer() -> None:
    place, images = registry_of()
    digest = str(Blob.of(SHARED).digest)
    path = f"v2/demo/app/blobs/{digest}"
    place.answers[path] = (b"A" + SHARED[1:], place.answers[path][1])
    report = checked(place, images)
    (finding,) = report.findings
    assert (finding.path, finding.outcome) == (f"demo/app@{digest}", "differs")
    assert digest in finding.want
    assert Blob.of(b"A" + SHARED[1:]).digest.hex in finding.got
    with pytest.raises(IntegrityError) as raised:
        require_good([report])
    assert raised.value.id is ErrorId.MIRROR_DIFFERS


def test_a_tag_that_leads_elsewhere_is_named_and_the_image_checked_by_its_digest() -> None:
    place, images = registry_of()
    place.answers["v2/demo/app/manifests/1"] = place.answers["v2/library/pause/manifests/3.5"]
    report = checked(place, images)
    assert [(finding.path, finding.outcome) for finding in report.findings] == [("demo/app:1", "differs")]
    assert report.files == 18


def test_an_index_that_is_nowhere_as_it_should_be() -> None:
    place, images = registry_of()
    for reference in ("1", str(images[0].top.digest)):
        place.answers[f"v2/demo/app/manifests/{reference}"] = (b"{}", OCI_INDEX)
    report = checked(place, images)
    assert {finding.path for finding in report.findings} == {"demo/app:1", f"demo/app@{images[0].top.digest}"}


def test_a_blob_that_is_missing_from_one_of_two_repositories() -> None:
    place, images = registry_of()
    for repository in NAMES:
        gone, left = dict(place.answers), MemoryRegistryPlace()
        del gone[f"v2/{repository}/blobs/{Blob.of(SHARED).digest}"]
        left.answers = gone
        (finding,) = checked(left, images).findings
        assert (finding.path, finding.outcome) == (f"{repository}@{Blob.of(SHARED).digest}", "missing")


@pytest.mark.parametrize(
    ("fields", "what"),
    [
        ({"content-type": "text/html"}, "Content-Type"),
        ({"docker-content-digest": "sha256:00"}, "Docker-Content-Digest"),
    ],
    ids=["type", "digest"],
)
def test_fields_that_do_not_fit_the_document(fields: dict[str, str], what: str) -> None:
    place, images = registry_of()

    class Lying(MemoryRegistryPlace):
        def _answer(self, method: str, path: str, accept: str) -> tuple[bytes, dict[str, str]]:
            data, told = super()._answer(method, path, accept)
            return data, told | (fields if path.endswith("manifests/1") else {})

    (finding,) = checked(Lying(place.answers), images).findings
    assert (finding.path, finding.want.partition(":")[0]) == ("demo/app:1", what)


def test_where_there_is_no_registry() -> None:
    place, images = registry_of()
    place.always["v2/"] = failures.absent(WHERE, "404")
    assert check(place, images, certain=False) is None
    assert len(place.asked) == 1
    report = checked(place, images)
    with pytest.raises(SourceError, match="404"):
        require_good([report])


def test_a_server_that_answers_every_path_is_no_registry() -> None:
    place, images = registry_of()

    class Page(MemoryRegistryPlace):
        def _answer(self, method: str, path: str, accept: str) -> tuple[bytes, dict[str, str]]:
            super()._answer(method, path, accept)
            return b"<html>", {"content-type": "text/html"}

    assert check(Page(place.answers), images, certain=False) is None
    assert not checked(Page(place.answers), images).good


def test_a_registry_that_is_gone_is_not_waited_for() -> None:
    place, images = registry_of()
    gone = failures.unreachable(WHERE, "no connection")
    for path in place.answers:
        if path != "v2/":
            place.always[path] = gone
    report = check(place, images, jobs=1)
    assert report is not None
    assert {finding.outcome for finding in report.findings} == {"unreachable"}
    assert len(place.asked) == 1 + ATTEMPTS
    with pytest.raises(SourceError):
        require_good([MirrorReport(WHERE, registry=report)])


def test_upstream_s_own_index_is_asked_for_by_its_digest_alone() -> None:
    pause = image_sites.image("registry.k8s.io/pause:3.5", pruned=True)
    (wanted,) = listed_images(image_sites.bundle(pause).index)
    assert wanted.places == (("library/pause", "3.5"),)
    assert (wanted.top, wanted.upstream) == (pause.top, (pause.upstream,))
    assert wanted.media_type == OCI_INDEX
    assert listed_images(image_sites.bundle(pause).index) == (locked_image(pause),)
    docker = image_sites.image("registry.k8s.io/old:1", "docker.io/demo/old:1", media_type=DOCKER_INDEX)
    assert {name for image in listed_images(image_sites.bundle(docker).index) for name in image.places} == {
        ("library/old", "1"), ("demo/old", "1")
    }  # fmt: skip
    assert listed_images(image_sites.bundle(docker).index)[0].upstream == ()


def test_upstream_s_own_index_may_be_another_image_of_the_bundle() -> None:
    pruned = image_sites.image("registry.k8s.io/pause:3.5", pruned=True)
    whole = image_sites.image("registry.k8s.io/whole:3.5")
    whole = replace(whole, upstream=pruned.upstream, top=pruned.upstream)
    listed = listed_images(image_sites.bundle(pruned, whole).index)
    assert set(listed) == {locked_image(pruned), locked_image(whole)}
    place, (image, _) = registry_of()
    report = checked(place, (replace(image, upstream=(image.top,)),))
    assert report.good
    assert set(Counter(place.asked).values()) == {1}
