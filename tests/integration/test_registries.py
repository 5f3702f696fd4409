"""The building blocks themselves: a real client reads back what was put into each registry."""

from __future__ import annotations

import json
import subprocess
from typing import TYPE_CHECKING

import pytest

from tests.integration.images import make_image
from tests.integration.registries import (
    Registry,
    htpasswd_registry,
    plain_registry,
    tls_registry,
    token_registry,
)

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.integration


def inspect(registry: Registry, repository: str) -> str:
    login = ["--creds", f"{registry.username}:{registry.password}"] if registry.username else []
    command = ["skopeo", "inspect", "--raw", "--tls-verify=false", *login, f"docker://{registry.host}/{repository}"]
    return subprocess.run(command, capture_output=True, text=True, check=True, timeout=60).stdout


def test_every_registry_holds_what_was_filled_in(tmp_path: Path) -> None:
    layout = tmp_path / "layout"
    made = make_image(layout, "app:1", platforms=("linux/amd64", "linux/arm/v7"), attestations=True)
    with (
        plain_registry(tmp_path / "plain") as plain,
        htpasswd_registry(tmp_path / "basic", "admin", "s3cret") as basic,
        token_registry(tmp_path / "token", {"admin": "s3cret"}) as token,
        tls_registry(tmp_path / "tls") as tls,
    ):
        for registry in (plain, basic, token, tls):
            registry.fill(layout, "app:1", "demo/app:1")
            assert inspect(registry, "demo/app:1").encode() == made.read(made.top)
        assert {request.user for request in token.token_requests} == {"admin"}
        assert any(line.startswith("PUT /v2/demo/app/manifests/1 ") for line in plain.requests())


def test_the_same_arguments_make_the_same_image(tmp_path: Path) -> None:
    first = make_image(tmp_path / "a", "app:1", files={"x": b"1"}, filler_bytes=1000)
    second = make_image(tmp_path / "b", "app:1", files={"x": b"1"}, filler_bytes=1000)
    assert first.top == second.top
    other = make_image(tmp_path / "b", "app:2", files={"x": b"1"})
    assert other.top != first.top
    assert other.layers["linux/amd64"][0] == first.layers["linux/amd64"][0]
    names = [item["annotations"] for item in json.loads((tmp_path / "b" / "index.json").read_text())["manifests"]]
    assert names == [{"org.opencontainers.image.ref.name": name} for name in ("app:1", "app:2")]
