"""Files that `docker login` and `podman login` write, and which login a repository gets by ours and by docker-py."""

from __future__ import annotations

import base64
import json
import os
from contextlib import contextmanager
from typing import TYPE_CHECKING, NamedTuple

import docker.auth

from bundler.net.registry.docker_config import DockerLogins
from scripts.benchmarks.alternatives.comparison import Row

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

Login = tuple[str, str] | None
USER, SECRET = "user", "secret"
_HELPERS = {
    "knows": f"""printf '{{"Username": "{USER}", "Secret": "{SECRET}"}}'""",
    "empty": "echo 'credentials not found in native keychain'; exit 1",
}


class Case(NamedTuple):
    """A configuration, the repository that is asked for, the right login, and where below HOME the file lies."""

    config: Mapping[str, object]
    repository: tuple[str, str]
    right: Login
    file: str = ".docker/config.json"


def _entry(user: str = USER, secret: str = SECRET) -> dict[str, str]:
    return {"auth": base64.b64encode(f"{user}:{secret}".encode()).decode()}


_TEAM, _HUB = ("quay.io", "team/app"), ("docker.io", "library/busybox")
_KNOWN = (USER, SECRET)
_PLAIN: Mapping[str, object] = {"auths": {"quay.io": _entry()}}
CASES = (
    Case(_PLAIN, _TEAM, _KNOWN),
    Case({"auths": {"https://quay.io/v1/": _entry()}}, _TEAM, _KNOWN),
    Case({"auths": {"https://index.docker.io/v1/": _entry()}}, _HUB, _KNOWN),
    Case({"auths": {"docker.io": _entry()}}, _HUB, _KNOWN),
    Case({"auths": {"quay.io": _entry("user", "secret\0\0")}}, _TEAM, _KNOWN),
    Case({"auths": {"quay.io": {"username": USER, "password": SECRET}}}, _TEAM, _KNOWN),
    Case({"auths": {"quay.io": {"identitytoken": SECRET, **_entry(USER, "")}}}, _TEAM, (USER, SECRET)),
    Case({"auths": {"quay.io": {"registrytoken": SECRET}}}, _TEAM, ("", SECRET)),
    Case({"auths": {"broken.example": {"auth": "?"}, "quay.io": _entry()}}, _TEAM, _KNOWN),
    Case({"auths": {"quay.io/team": _entry()}}, _TEAM, _KNOWN),
    Case({"auths": {"quay.io/other": _entry()}}, _TEAM, None),
    Case({"auths": {"quay.io/other": _entry("other"), "quay.io/team": _entry()}}, _TEAM, _KNOWN),
    Case({"credsStore": "knows"}, _TEAM, _KNOWN),
    Case({"credHelpers": {"quay.io": "knows"}}, _TEAM, _KNOWN),
    Case({"credHelpers": {"quay.io/team": "knows"}}, _TEAM, _KNOWN),
    Case({"credsStore": "empty", **_PLAIN}, _TEAM, _KNOWN),
    Case({"credsStore": "knows", "credHelpers": {"quay.io": ""}}, _TEAM, None),
    Case(_PLAIN, _TEAM, _KNOWN, "named.json"),
    Case(_PLAIN, _TEAM, _KNOWN, "runtime/containers/auth.json"),
    Case(_PLAIN, _TEAM, _KNOWN, ".config/containers/auth.json"),
)


def rows(directory: Path) -> Iterator[Row]:
    """Yield the comparison; the files are written below a directory."""
    ours = theirs = 0
    for number, case in enumerate(CASES):
        environment = _written(directory / f"home-{number}", case)
        ours += _ours(environment, case) == case.right
        theirs += _theirs(environment, case) == case.right
    yield Row("Docker: files and keys that give the right login", str(ours), str(theirs), str(len(CASES)))


def _written(home: Path, case: Case) -> dict[str, str]:
    """Write the file and the helpers; return the environment that points at them."""
    file = home / case.file
    file.parent.mkdir(parents=True)
    file.write_text(json.dumps(case.config))
    for name, body in _HELPERS.items():
        helper = home / f"docker-credential-{name}"
        helper.write_text(f"#!/bin/sh\nread -r server\n{body}\n")
        helper.chmod(0o755)
    places = {"REGISTRY_AUTH_FILE": f"{home}/named.json", "XDG_RUNTIME_DIR": f"{home}/runtime"}
    return {"HOME": str(home), "PATH": f"{home}:{os.environ['PATH']}", **places}


def _ours(environment: Mapping[str, str], case: Case) -> Login:
    found = DockerLogins(environment).login(*case.repository)
    return (found.username, found.secret) if found else None


def _theirs(environment: Mapping[str, str], case: Case) -> Login:
    """Ask as docker-py's own client does: for the host alone."""
    with _environment(environment):
        try:
            found = docker.auth.load_config().resolve_authconfig(case.repository[0]) or {}
        except Exception:  # noqa: BLE001 - no right answer, whatever it is
            return ("an exception", "")
    words = {name.lower(): value for name, value in found.items()}
    if "identitytoken" in words:
        return (USER, words["identitytoken"])
    return (words.get("username", ""), words["password"]) if "password" in words else None


@contextmanager
def _environment(values: Mapping[str, str]) -> Iterator[None]:
    """Give this process another environment: docker-py reads it without being asked."""
    before = dict(os.environ)
    os.environ.clear()
    os.environ.update(values)
    try:
        yield
    finally:
        os.environ.clear()
        os.environ.update(before)
