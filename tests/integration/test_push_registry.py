"""`bundler push-images --via registry` into real registries, read back by skopeo."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.integration.pushed_bundle import TARGETS, push, skopeo_copy, skopeo_digest, small_bundle
from tests.integration.registries import htpasswd_registry, plain_registry, tls_registry, token_registry

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.integration


@pytest.mark.parametrize("docker", [False, True], ids=["oci", "docker"])
def test_everything_is_there_with_the_digests_of_the_lock_and_a_second_run_sends_nothing(
    tmp_path: Path, docker: bool
) -> None:
    bundle = small_bundle(tmp_path, docker=docker)
    with plain_registry(tmp_path / "registry") as registry:
        first = push(registry, bundle.root)
        assert first.outcomes == dict.fromkeys(TARGETS, "pushed"), first.stderr
        assert first.code == 0
        assert first.answer["sent"]["mounted"] > 0
        for name, digest in bundle.digests.items():
            assert skopeo_digest(registry, name) == digest
            skopeo_copy(registry, name, tmp_path / name.replace("/", "-"))
        before = len(registry.requests())
        second = push(registry, bundle.root)
        assert second.outcomes == dict.fromkeys(TARGETS, "present")
        assert second.answer["sent"] == {"blobs": 0, "blob_bytes": 0, "mounted": 0}
        asked = [line.split()[:2] for line in registry.requests()[before:]]
        assert {method for method, path in asked if path not in ("/v2/", "/api/v2.0/systeminfo")} == {"HEAD"}


def test_one_platform_alone(tmp_path: Path) -> None:
    bundle = small_bundle(tmp_path)
    with plain_registry(tmp_path / "registry") as registry:
        done = push(registry, bundle.root, "--platform", "linux/arm64", "--project", "k8s")
        assert done.outcomes == {"k8s/app:1": "pushed", "k8s/other:v2": "pushed"}
        for image in done.answer["images"]:
            assert skopeo_digest(registry, image["target"]) == image["digest"]


def test_with_passwords(tmp_path: Path) -> None:
    bundle = small_bundle(tmp_path)
    with htpasswd_registry(tmp_path / "registry", "admin", "s3cret") as registry:
        wrong = push(registry, bundle.root, password="guess")
        assert wrong.code == 7
        assert "[push-unauthorized]" in wrong.stderr
        assert "guess" not in wrong.stderr
        nobody = push(registry, bundle.root)
        assert "none for it were found in" in nobody.stderr
        assert push(registry, bundle.root, password="s3cret").code == 0
        assert skopeo_digest(registry, "demo/app:1") == bundle.digests["demo/app:1"]


def test_with_tokens(tmp_path: Path) -> None:
    bundle = small_bundle(tmp_path)
    with token_registry(tmp_path / "registry", {"admin": "s3cret"}) as registry:
        wrong = push(registry, bundle.root, password="guess")
        assert wrong.code == 7
        assert "its token service answered 401" in wrong.stderr
        assert sum(request.status == 401 for request in registry.token_requests) == 1
        done = push(registry, bundle.root, password="s3cret")
        assert done.code == 0, done.stderr
        assert done.answer["sent"]["mounted"] > 0
        for name, digest in bundle.digests.items():
            assert skopeo_digest(registry, name) == digest


def test_a_certificate_that_nobody_vouches_for(tmp_path: Path) -> None:
    bundle = small_bundle(tmp_path)
    with tls_registry(tmp_path / "registry") as registry:
        refused = push(registry, bundle.root)
        assert refused.code == 7
        assert "[push-tls]" in refused.stderr
        assert "--ca-file" in refused.stderr
        assert push(registry, bundle.root, "--insecure", "--only", "*pause*").outcomes == {
            "library/pause:3.5": "pushed"
        }
        assert push(registry, bundle.root, "--ca-file", str(registry.ca_file)).code == 0


def test_http_where_https_is_spoken_names_the_flag(tmp_path: Path) -> None:
    bundle = small_bundle(tmp_path)
    with tls_registry(tmp_path / "registry") as registry:
        refused = push(registry, bundle.root, "--plain-http")
        assert "[push-scheme]" in refused.stderr
        assert "Leave --plain-http out" in refused.stderr


def test_a_tag_that_stands_for_another_image(tmp_path: Path) -> None:
    old, new = small_bundle(tmp_path / "old", content=b"old"), small_bundle(tmp_path / "new", content=b"new")
    with plain_registry(tmp_path / "registry") as registry:
        assert push(registry, old.root, "--only", "*app*").code == 0
        refused = push(registry, new.root)
        assert refused.code == 7
        assert refused.outcomes == dict.fromkeys(TARGETS, "pushed") | {"demo/app:1": "failed"}
        for digest in (old.digests["demo/app:1"], new.digests["demo/app:1"]):
            assert digest in refused.stderr
        kept = push(registry, new.root, "--on-existing-tag", "skip")
        assert kept.code == 0
        assert kept.outcomes["demo/app:1"] == "skipped"
        looked = push(registry, new.root, "--on-existing-tag", "overwrite", "--dry-run")
        assert looked.outcomes["demo/app:1"] == "missing"
        assert skopeo_digest(registry, "demo/app:1") == old.digests["demo/app:1"]
        replaced = push(registry, new.root, "--on-existing-tag", "overwrite")
        assert [image["before"] for image in replaced.answer["images"]] == [None, old.digests["demo/app:1"], None]
        assert skopeo_digest(registry, "demo/app:1") == new.digests["demo/app:1"]


def test_of_an_image_with_a_damaged_blob_nothing_is_sent(tmp_path: Path) -> None:
    bundle = small_bundle(tmp_path)
    pause = next(artifact for artifact in bundle.placed.artifacts if "pause" in artifact.key)
    own = pause.images[0].layers[-1].digest
    blob = bundle.root / "k8simage" / "blobs" / "sha256" / own.hex
    blob.write_bytes(blob.read_bytes()[:-1] + b"?")
    with plain_registry(tmp_path / "registry") as registry:
        done = push(registry, bundle.root)
        assert done.code == 5
        assert done.outcomes == dict.fromkeys(TARGETS, "pushed") | {"library/pause:3.5": "failed"}
        assert str(own) in done.stderr
        changing = [line for line in registry.requests() if line.split()[0] in ("POST", "PUT", "PATCH")]
        assert [line for line in changing if "/library/pause/" in line] == []
