"""`bundler push-images --via registry` when a registry, a Harbor, or what is before it, answers other things."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.integration.faulty_front import Fault, faulty_front
from tests.integration.harbor_front import harbor_front
from tests.integration.placed_images import AMD64, place_images
from tests.integration.pushed_bundle import TARGETS, push, skopeo_copy, skopeo_digest, small_bundle
from tests.integration.registries import plain_registry, token_registry

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.integration
USERS = {"admin": "s3cret"}
UPLOAD = "POST /v2/demo/app/blobs/uploads/"
MANIFEST = "PUT /v2/demo/app/manifests/"
QUOTA = "Quota exceeded when processing the request of adding 5.1 MiB of storage resource, which when updated to current usage of 9.9 GiB will exceed the configured upper limit of 10.0 GiB."  # noqa: E501 - Harbor's words
IMMUTABLE = "Failed to process request due to 'app:1' configured as immutable."


@pytest.mark.parametrize("status", [429, 500, 502, 503])
@pytest.mark.parametrize("request_", ["HEAD /v2/demo/app/blobs/", UPLOAD, "PUT /v2/demo/app/blobs/uploads/", MANIFEST])
def test_a_fault_that_passes_is_tried_again(tmp_path: Path, request_: str, status: int) -> None:
    bundle = small_bundle(tmp_path)
    with (
        plain_registry(tmp_path / "registry") as registry,
        faulty_front(registry.host, Fault(request_, status=status, times=2)) as front,
    ):
        done = push(front.host, bundle.root)
        assert done.outcomes == dict.fromkeys(TARGETS, "pushed"), done.stderr
        assert sum(line.endswith(f" {status}") for line in front.requests) == 2
        assert skopeo_digest(registry, "demo/app:1") == bundle.digests["demo/app:1"]


def test_a_busy_registry_is_asked_again_when_it_says_and_by_fewer_at_once(tmp_path: Path) -> None:
    bundle = small_bundle(tmp_path)
    with (
        plain_registry(tmp_path / "registry") as registry,
        faulty_front(registry.host, Fault(UPLOAD, status=429, headers={"Retry-After": "2"})) as front,
    ):
        done = push(front.host, bundle.root, "--jobs", "1")
        assert done.outcomes == dict.fromkeys(TARGETS, "pushed"), done.stderr
        refused = next(number for number, line in enumerate(front.requests) if line.endswith(" 429"))
        assert front.at_s[refused + 1] - front.at_s[refused] >= 2.0


@pytest.mark.parametrize("status", [200, 201, 202, 204])
@pytest.mark.parametrize("request_", ["PUT /v2/", "POST /v2/"])
def test_any_success_is_one(tmp_path: Path, request_: str, status: int) -> None:
    # Quay answered 202 to manifests for years (containers/image#381), an earlier text of the specification wants 204
    bundle = small_bundle(tmp_path)
    with (
        plain_registry(tmp_path / "registry") as registry,
        faulty_front(registry.host, Fault(request_, times=999, instead=status)) as front,
    ):
        done = push(front.host, bundle.root)
        assert done.outcomes == dict.fromkeys(TARGETS, "pushed"), done.stderr
        for name, digest in bundle.digests.items():
            assert skopeo_digest(registry, name) == digest
            skopeo_copy(registry, name, tmp_path / name.replace("/", "-"))


def test_a_success_that_was_none_is_found_out(tmp_path: Path) -> None:
    bundle = small_bundle(tmp_path)
    with (
        plain_registry(tmp_path / "registry") as registry,
        faulty_front(registry.host, Fault(f"{MANIFEST}1", status=202)) as front,
    ):
        done = push(front.host, bundle.root)
        assert done.outcomes == dict.fromkeys(TARGETS, "pushed") | {"demo/app:1": "failed"}
        assert "has nothing now where" in done.stderr


@pytest.mark.parametrize("status", [401, 403])
def test_who_may_not_is_not_asked_again(tmp_path: Path, status: int) -> None:
    bundle = small_bundle(tmp_path)
    challenge = {"WWW-Authenticate": 'Basic realm="here"'} if status == 401 else {}
    fault = Fault(UPLOAD, times=99, status=status, headers=challenge, code="DENIED", message="not you")
    with (
        plain_registry(tmp_path / "registry") as registry,
        faulty_front(registry.host, fault) as front,
    ):
        done = push(front.host, bundle.root, "--jobs", "1")
        assert done.code == 7
        assert done.outcomes == dict.fromkeys(TARGETS, "pushed") | {"demo/app:1": "failed"}
        (error,) = (image["error"] for image in done.answer["images"] if "error" in image)
        assert (error["status"], error["id"]) == (status, "push-unauthorized")
        # neither for the same blob, which might have been taken over, nor for the image's others
        assert len([line for line in front.requests if line.startswith(UPLOAD) and "mount=" not in line]) == 1


@pytest.mark.parametrize(
    ("request_", "status", "code", "message", "advice"),
    [
        (UPLOAD, 403, "DENIED", QUOTA, "Raise the project's quota"),
        ("PUT /v2/demo/app/blobs/uploads/", 403, "DENIED", QUOTA, "Raise the project's quota"),
        (f"{MANIFEST}1 ", 412, "PRECONDITION", IMMUTABLE, "change the project's tag rules"),
    ],
    ids=["quota", "quota of a blob", "immutable tag"],
)
def test_what_harbor_refuses_fails_that_image_alone(
    tmp_path: Path, request_: str, status: int, code: str, message: str, advice: str
) -> None:
    bundle = small_bundle(tmp_path)
    fault = Fault(request_.rstrip(), times=99, status=status, code=code, message=message)
    with (
        token_registry(tmp_path / "registry", USERS) as registry,
        harbor_front(registry) as harbor,
        faulty_front(harbor.host, fault) as front,
    ):
        done = push(front.host, bundle.root, password="s3cret")
        assert done.code == 7
        assert done.outcomes == dict.fromkeys(TARGETS, "pushed") | {"demo/app:1": "failed"}
        (error,) = (image["error"] for image in done.answer["images"] if "error" in image)
        assert (error["id"], error["status"], error["code"]) == ("push-refused", status, code)
        assert message[:60] in error["message"]
        assert advice in done.stderr
        assert "s3cret" not in done.stderr


def test_an_answer_that_was_lost_after_the_blob_had_come(tmp_path: Path) -> None:
    bundle = small_bundle(tmp_path, filler_bytes=300_000)
    with (
        plain_registry(tmp_path / "registry") as registry,
        faulty_front(registry.host, Fault("PUT /v2/demo/app/blobs/uploads/", lost=True)) as front,
    ):
        done = push(front.host, bundle.root, "--jobs", "1")
        assert done.outcomes == dict.fromkeys(TARGETS, "pushed"), done.stderr
        lost = next(line for line in front.requests if line.endswith(" 0"))
        digest = lost.rpartition("digest=")[2].split()[0]
        # it is there, so it was not sent once more
        assert sum(line.startswith("PUT") and digest in line for line in front.requests) == 1
        skopeo_copy(registry, "demo/app:1", tmp_path / "copy")


def test_a_manifest_whose_answer_was_lost(tmp_path: Path) -> None:
    bundle = small_bundle(tmp_path)
    with (
        plain_registry(tmp_path / "registry") as registry,
        faulty_front(registry.host, Fault(MANIFEST, lost=True)) as front,
    ):
        assert push(front.host, bundle.root).outcomes == dict.fromkeys(TARGETS, "pushed")


def test_a_registry_that_tells_no_digests(tmp_path: Path) -> None:
    bundle = small_bundle(tmp_path)
    with (
        plain_registry(tmp_path / "registry") as registry,
        faulty_front(registry.host, Fault("", times=10_000, without="Docker-Content-Digest")) as front,
    ):
        first = push(front.host, bundle.root)
        assert first.outcomes == dict.fromkeys(TARGETS, "pushed"), first.stderr
        again = push(front.host, bundle.root)
        assert again.outcomes == dict.fromkeys(TARGETS, "present"), again.stderr
        other = small_bundle(tmp_path / "other", content=b"other")
        taken = push(front.host, other.root)
        assert [image["before"] for image in taken.answer["images"]] == [
            bundle.digests[name] for name in sorted(TARGETS)
        ]


def test_a_slow_line(tmp_path: Path) -> None:
    bundle = small_bundle(tmp_path, filler_bytes=500_000)
    with plain_registry(tmp_path / "registry") as registry, faulty_front(registry.host, pause_s=0.02) as front:
        done = push(front.host, bundle.root, "--only", "*pause*", "--jobs", "8")
        assert done.outcomes == {"library/pause:3.5": "pushed"}, done.stderr
        assert skopeo_digest(registry, "library/pause:3.5") == bundle.digests["library/pause:3.5"]


def test_a_host_that_is_no_registry(tmp_path: Path) -> None:
    bundle = small_bundle(tmp_path)
    with (
        plain_registry(tmp_path / "registry") as registry,
        faulty_front(registry.host, Fault("GET /v2/", times=9, status=404)) as front,
    ):
        done = push(front.host, bundle.root)
        assert done.code == 7
        assert "no registry answers here" in done.stderr
        assert {line.split()[0] for line in front.requests} == {"GET"}


def test_what_cannot_be_pushed_is_told_before_anything_is_asked(tmp_path: Path) -> None:
    bundle = small_bundle(tmp_path)
    same_end = place_images(tmp_path / "other", {"docker.io/demo/app:1": (AMD64,), "quay.io/edge/app:1": (AMD64,)})
    other = same_end.write_bundle(tmp_path / "other-root")
    with plain_registry(tmp_path / "registry") as registry, faulty_front(registry.host) as front:
        for root, options, code, told in (
            (bundle.root, ("--only", "nothing*"), 7, "[push-nothing]"),
            (bundle.root, ("--project", "Upper"), 2, "no project named 'Upper'"),
            (other, ("--project", "k8s"), 7, "[push-name-conflict]"),
        ):
            done = push(front.host, root, *options)
            assert (done.code, told in done.stderr) == (code, True), done.stderr
        assert all(digest in done.stderr for digest in same_end.digests.values())
        assert front.requests == []
        assert push(front.host, other).code == 0
