"""Where `bundler push-images` takes a password from, and that nobody else sees it."""

from __future__ import annotations

import base64
import json
import os
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.integration.mirror_program import eventually
from tests.integration.pushed_bundle import TARGETS, WITHIN_S, Done, PushedBundle, push_command, small_bundle
from tests.integration.registries import Registry, htpasswd_registry, token_registry

if TYPE_CHECKING:
    from collections.abc import Iterator

pytestmark = pytest.mark.integration
SECRET = "N0body-sees-this"
# docker/docker-credential-helpers: the server on stdin, an answer on stdout
HELPER = """#!/bin/sh
read -r server
echo "$1 $server" >>"$0.log"
printf '{"ServerURL": "%s", "Username": "admin", "Secret": "N0body-sees-this"}' "$server"
"""


@pytest.fixture(scope="module")
def bundle(tmp_path_factory: pytest.TempPathFactory) -> PushedBundle:
    return small_bundle(tmp_path_factory.mktemp("bundle"))


@pytest.fixture(params=["basic", "token"])
def registry(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Registry]:
    made = (
        htpasswd_registry(tmp_path / "registry", "admin", SECRET)
        if request.param == "basic"
        else token_registry(tmp_path / "registry", {"admin": SECRET})
    )
    with made as running:
        yield running


def pushed(registry: Registry, bundle: PushedBundle, *options: str, stdin: str = "", **variables: str) -> Done:
    """Push with these variables and no home, and check that the secret is seen nowhere."""
    running = subprocess.Popen(
        [*push_command(registry.host, bundle.root, *options), "--json"],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        env={"PATH": os.environ["PATH"], "HOME": "/nonexistent", **variables},
    )  # fmt: skip
    arguments = Path(f"/proc/{running.pid}/cmdline")
    eventually(lambda: b"push-images" in arguments.read_bytes(), "the program has begun")
    assert SECRET.encode() not in arguments.read_bytes()
    stdout, stderr = running.communicate(stdin, timeout=WITHIN_S)
    assert SECRET not in stdout + stderr
    return Done(running.returncode, json.loads(stdout) if stdout else {}, stderr)


def config(directory: Path, value: object) -> Path:
    directory.mkdir(parents=True, exist_ok=True)
    (directory / "config.json").write_text(json.dumps(value))
    return directory


def helper(directory: Path) -> Path:
    """Make a credential helper `docker-credential-site` and return the directory for PATH."""
    directory.mkdir()
    program = directory / "docker-credential-site"
    program.write_text(HELPER)
    program.chmod(0o755)
    return directory


@pytest.mark.parametrize("form", ["auth", "credHelpers", "credsStore"])
def test_what_docker_login_has_stored(registry: Registry, bundle: PushedBundle, tmp_path: Path, form: str) -> None:
    pair = base64.b64encode(f"admin:{SECRET}".encode()).decode()
    value = {
        "auth": {"auths": {registry.host: {"auth": pair}}},
        "credHelpers": {"credHelpers": {registry.host: "site"}},
        "credsStore": {"auths": {registry.host: {}}, "credsStore": "site"},
    }[form]
    programs = helper(tmp_path / "bin")
    done = pushed(
        registry, bundle,
        DOCKER_CONFIG=str(config(tmp_path / "docker", value)), PATH=f"{programs}:{os.environ['PATH']}",
    )  # fmt: skip
    assert done.outcomes == dict.fromkeys(TARGETS, "pushed"), done.stderr
    log = programs / "docker-credential-site.log"
    # asked once, however many repositories there are, and in no argument
    assert (log.read_text().splitlines() if log.exists() else []) == (
        [] if form == "auth" else [f"get {registry.host}"]
    )


def test_what_podman_login_has_stored(registry: Registry, bundle: PushedBundle, tmp_path: Path) -> None:
    pair = base64.b64encode(f"admin:{SECRET}".encode()).decode()
    file = config(tmp_path / "podman", {"auths": {registry.host: {"auth": pair}}}) / "config.json"
    assert pushed(registry, bundle, REGISTRY_AUTH_FILE=str(file)).code == 0


def test_given_by_stdin_and_by_variable(registry: Registry, bundle: PushedBundle) -> None:
    typed = pushed(registry, bundle, "--username", "admin", "--password-stdin", stdin=f"{SECRET}\n")
    assert typed.outcomes == dict.fromkeys(TARGETS, "pushed"), typed.stderr
    assert pushed(registry, bundle, "--username", "admin", BUNDLER_PASSWORD=SECRET).code == 0


def test_credentials_of_another_registry_go_nowhere(registry: Registry, bundle: PushedBundle, tmp_path: Path) -> None:
    pair = base64.b64encode(f"admin:{SECRET}".encode()).decode()
    made = config(tmp_path / "docker", {"auths": {"elsewhere.example": {"auth": pair}}})
    done = pushed(registry, bundle, DOCKER_CONFIG=str(made))
    assert done.code == 7
    assert "none for it were found in" in done.stderr
    assert str(made / "config.json") in done.stderr
    eventually(lambda: registry.requests() != (), "the registry was asked")
    assert not [line for line in registry.requests() if line.startswith(("POST", "PUT"))]


def test_a_helper_that_is_missing_is_named(registry: Registry, bundle: PushedBundle, tmp_path: Path) -> None:
    made = config(tmp_path / "docker", {"credHelpers": {registry.host: "absent"}})
    done = pushed(registry, bundle, DOCKER_CONFIG=str(made))
    assert done.code == 10
    assert "docker-credential-absent" in done.stderr


@pytest.mark.parametrize("locale", ["C", "C.UTF-8"])
@pytest.mark.parametrize("way", ["stdin", "variable"])
def test_a_password_of_any_bytes_is_a_wrong_one_and_no_bug(
    bundle: PushedBundle, tmp_path: Path, locale: str, way: str
) -> None:
    with htpasswd_registry(tmp_path / "registry", "admin", SECRET) as registry:
        given = b"caf\xe9\n" if way == "stdin" else b""
        variables = {b"BUNDLER_PASSWORD": b"caf\xe9"} if way == "variable" else {}
        option = ["--password-stdin"] if way == "stdin" else []
        done = subprocess.run(
            [*push_command(registry.host, bundle.root, "--username", "admin", *option)],
            input=given, capture_output=True, check=False, timeout=WITHIN_S,
            env={b"PATH": os.environb[b"PATH"], b"HOME": b"/nonexistent", b"LC_ALL": locale.encode(), **variables},
        )  # fmt: skip
    assert done.returncode == 7, done.stderr
    assert b"[push-unauthorized]" in done.stderr
    assert b"Traceback" not in done.stderr
