"""`bundler push-images` into what a Harbor is: projects, health and tokens before a real registry."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.integration.harbor_front import harbor_front
from tests.integration.pushed_bundle import TARGETS, push, skopeo_digest, small_bundle
from tests.integration.registries import token_registry

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.integration
USERS = {"admin": "s3cret"}


def test_missing_projects_are_created_and_others_left_alone(tmp_path: Path) -> None:
    bundle = small_bundle(tmp_path)
    with token_registry(tmp_path / "registry", USERS) as registry, harbor_front(registry) as harbor:
        looked = push(harbor.host, bundle.root, "--dry-run", password="s3cret")
        assert looked.answer["projects_missing"] == ["coreos", "demo"]
        assert looked.outcomes == dict.fromkeys(TARGETS, "missing")
        assert harbor.created == []
        done = push(harbor.host, bundle.root, "--private", "--quota", "5GiB", password="s3cret")
        assert done.outcomes == dict.fromkeys(TARGETS, "pushed"), done.stderr
        assert harbor.created == [
            {"project_name": name, "metadata": {"public": "false"}, "storage_limit": 5 * 1024**3}
            for name in ("coreos", "demo")
        ]
        for name, digest in bundle.digests.items():
            assert skopeo_digest(registry, name) == digest
        again = push(harbor.host, bundle.root, password="s3cret")
        assert again.outcomes == dict.fromkeys(TARGETS, "present")
        assert again.answer["projects_created"] == []


@pytest.mark.parametrize("is_administrator", [True, False])
def test_a_quota_that_harbor_drops_in_silence_is_told(tmp_path: Path, is_administrator: bool) -> None:
    bundle = small_bundle(tmp_path)
    admins = frozenset({"admin"} if is_administrator else set())
    with token_registry(tmp_path / "registry", USERS) as registry, harbor_front(registry, admins=admins) as harbor:
        done = push(harbor.host, bundle.root, "--quota", "5GiB", password="s3cret")
        assert done.outcomes == dict.fromkeys(TARGETS, "pushed"), done.stderr
        assert done.answer["projects_without_quota"] == ([] if is_administrator else ["coreos", "demo"])


def test_somebody_else_creates_a_project_at_the_same_time(tmp_path: Path) -> None:
    bundle = small_bundle(tmp_path)
    with (
        token_registry(tmp_path / "registry", USERS) as registry,
        harbor_front(registry, racing=frozenset({"k8s"})) as harbor,
    ):
        done = push(harbor.host, bundle.root, "--project", "k8s", password="s3cret")
        assert done.code == 0
        assert [line for line in harbor.requests if line.startswith("POST")] == ["POST /api/v2.0/projects 409"]


def test_who_may_create_no_project_gets_the_other_images_pushed(tmp_path: Path) -> None:
    bundle = small_bundle(tmp_path)
    with (
        token_registry(tmp_path / "registry", USERS) as registry,
        harbor_front(registry, creators=frozenset()) as harbor,
    ):
        done = push(harbor.host, bundle.root, password="s3cret")
        assert done.code == 7
        assert done.outcomes == {"coreos/other:v2": "failed", "demo/app:1": "failed", "library/pause:3.5": "pushed"}
        assert "[push-project-refused]" in done.stderr
        (error,) = {image["error"]["code"] for image in done.answer["images"] if "error" in image}
        assert error == "FORBIDDEN"


def test_waiting_until_it_is_healthy(tmp_path: Path) -> None:
    bundle = small_bundle(tmp_path)
    with token_registry(tmp_path / "registry", USERS) as registry, harbor_front(registry, unhealthy=1) as harbor:
        assert push(harbor.host, bundle.root, "--wait", "60", password="s3cret").code == 0
        assert sum("health" in line for line in harbor.requests) == 2


def test_a_harbor_without_its_database_is_waited_for_although_it_refuses_the_password(tmp_path: Path) -> None:
    bundle = small_bundle(tmp_path)
    with (
        token_registry(tmp_path / "registry", USERS) as registry,
        harbor_front(registry, unhealthy=1, sick="database") as harbor,
    ):
        assert registry.tokens is not None
        # it is well by its own word before it has connected again
        registry.tokens.refusals = 1
        done = push(harbor.host, bundle.root, "--wait", "60", password="s3cret")
        assert done.outcomes == dict.fromkeys(TARGETS, "pushed"), done.stderr
        assert registry.tokens.refusals == 0


def test_the_component_that_is_away_is_named_beside_the_refusal(tmp_path: Path) -> None:
    bundle = small_bundle(tmp_path)
    with (
        token_registry(tmp_path / "registry", USERS) as registry,
        harbor_front(registry, unhealthy=99, sick="database") as harbor,
    ):
        assert registry.tokens is not None
        registry.tokens.refusals = 99
        done = push(harbor.host, bundle.root, password="s3cret")
        assert done.code == 7
        assert "Harbor says that it is not healthy (database)" in done.stderr
        assert "--wait 300" in done.stderr
        assert "[push-unauthorized]" in done.stderr


@pytest.mark.parametrize("unhealthy", [1, 99])
def test_a_database_that_goes_away_in_mid_push_is_waited_out(tmp_path: Path, unhealthy: int) -> None:
    bundle = small_bundle(tmp_path)
    with (
        token_registry(tmp_path / "registry", USERS) as registry,
        harbor_front(registry, projects={"coreos", "demo", "library"}) as harbor,
    ):
        tokens = registry.tokens
        assert tokens is not None

        def goes_away() -> None:
            # three workers, more tries of each than without patience
            harbor.unhealthy, harbor.sick, tokens.refusals = unhealthy, "database", 18

        tokens.on_login = goes_away
        done = push(harbor.host, bundle.root, password="s3cret")
        assert done.outcomes == dict.fromkeys(TARGETS, "pushed"), done.stderr


def test_a_wrong_password_is_told_at_once(tmp_path: Path) -> None:
    bundle = small_bundle(tmp_path)
    with token_registry(tmp_path / "registry", USERS) as registry, harbor_front(registry) as harbor:
        done = push(harbor.host, bundle.root, "--wait", "60", password="guess")
        assert done.code == 7
        assert "[push-unauthorized]" in done.stderr
        assert harbor.created == []


def test_a_token_service_that_cannot_be_reached_is_explained(tmp_path: Path) -> None:
    bundle = small_bundle(tmp_path)
    with token_registry(tmp_path / "registry", USERS) as registry, harbor_front(registry) as harbor:
        assert registry.tokens is not None
        registry.tokens.stop()
        done = push(harbor.host, bundle.root, password="s3cret")
        assert done.code == 7
        assert "sends its clients to 127.0.0.1:" in done.stderr
        assert "hostname or external_url in harbor.yml" in done.stderr
        assert "[push-unreachable]" in done.stderr
