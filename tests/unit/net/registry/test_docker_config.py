"""Credentials from Docker's and podman's files."""

from __future__ import annotations

import base64
import json
import os
import signal
import traceback
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bundler.errors import ErrorId, SourceError, ToolMissingError
from bundler.net.registry.credential_helper import ask_helper
from bundler.net.registry.credentials import RegistryLogin
from bundler.net.registry.docker_config import DockerLogins, config_files, normal_key

SECRET = "pa:ss-w0rd"


def auth(user: str = "user", secret: str = SECRET) -> dict[str, str]:
    return {"auth": base64.b64encode(f"{user}:{secret}".encode()).decode()}


def logins(directory: Path, config: object) -> DockerLogins:
    text = config if isinstance(config, str) else json.dumps(config)
    (directory / "config.json").write_text(text)
    return DockerLogins({"DOCKER_CONFIG": str(directory), "PATH": str(directory)}, user_id=12345)


@pytest.mark.parametrize(
    ("key", "normal"),
    [
        ("quay.io", "quay.io"),
        ("https://quay.io", "quay.io"),
        ("https://quay.io/v1/", "quay.io"),
        ("http://quay.io:8080/v2/", "quay.io:8080"),
        ("quay.io/v2/", "quay.io"),
        ("quay.io/team/app", "quay.io/team/app"),
        ("https://index.docker.io/v1/", "docker.io"),
        ("registry-1.docker.io", "docker.io"),
        ("docker.io/library", "docker.io/library"),
    ],
)
def test_keys_in_all_their_forms(key: str, normal: str) -> None:
    assert normal_key(key) == normal


@given(st.text(max_size=40))
def test_a_normal_form_is_its_own(key: str) -> None:
    assert normal_key(normal_key(key)) == normal_key(key)


@pytest.mark.parametrize("key", ["https://index.docker.io/v1/", "docker.io", "index.docker.io"])
def test_docker_hub_under_its_names(tmp_path: Path, key: str) -> None:
    found = logins(tmp_path, {"auths": {key: auth()}}).login("docker.io", "library/busybox")
    assert found == RegistryLogin("user", SECRET, str(tmp_path / "config.json"))


def test_the_longest_namespace_counts(tmp_path: Path) -> None:
    entries = {"quay.io": auth("host"), "quay.io/team": auth("team"), "quay.io/team/app": auth("app")}
    found = logins(tmp_path, {"auths": entries})
    users = {path: found.login("quay.io", path) for path in ("team/app", "team/app/sub", "team/other", "teams/app")}
    assert {path: login.username for path, login in users.items() if login} == {
        "team/app": "app",
        "team/app/sub": "app",
        "team/other": "team",
        "teams/app": "host",
    }


def test_a_port_belongs_to_the_host(tmp_path: Path) -> None:
    found = logins(tmp_path, {"auths": {"quay.io:8443": auth()}})
    assert found.login("quay.io", "a") is None
    assert found.login("quay.io:8443", "a") is not None


def test_the_exact_key_goes_before_its_other_forms(tmp_path: Path) -> None:
    for entries in (
        {"https://quay.io/v1/": auth("old"), "quay.io": auth("new")},
        {"quay.io": auth("new"), "https://quay.io/v1/": auth("old")},
    ):
        found = logins(tmp_path, {"auths": entries}).login("quay.io", "a")
        assert found is not None
        assert found.username == "new"


@pytest.mark.parametrize(
    ("entry", "expected"),
    [
        ({"username": "u", "password": "p"}, ("u", "p", "password")),
        ({"identitytoken": "t", **auth("u", "")}, ("u", "t", "identity-token")),
        ({"registrytoken": "t"}, ("", "t", "registry-token")),
        ({**auth("u", "p\0\0")}, ("u", "p", "password")),
        ({}, None),
        ({"auth": ""}, None),
    ],
)
def test_entries_in_all_their_forms(tmp_path: Path, entry: object, expected: tuple[str, str, str] | None) -> None:
    found = logins(tmp_path, {"auths": {"quay.io": entry}}).login("quay.io", "a")
    assert (found and (found.username, found.secret, found.kind)) == expected


@pytest.mark.parametrize(
    "config",
    [
        "{",
        "[]",
        '{"auths": []}',
        '{"auths": {"quay.io": "pa:ss-w0rd"}}',
        '{"auths": {"quay.io": {"auth": "not base64: pa:ss-w0rd"}}}',
        '{"auths": {"quay.io": {"auth": "bm8tY29sb24="}}}',
        '{"auths": {"quay.io": {"auth": "pa:ss-w0rd ünlesbar"}}}',
        '{"auths": {"quay.io": {"password": 7}}}',
        '{"auths": {"quay.io": {"username": "u", "password": "\\ud800pa:ss-w0rd"}}}',
        '{"credHelpers": {"quay.io": 7}}',
        '{"credsStore": 7}',
        "\udcff".encode("utf-8", "surrogateescape").decode("latin-1") + SECRET,
    ],
)
def test_a_malformed_file_is_named_and_its_secrets_are_not(tmp_path: Path, config: str) -> None:
    with pytest.raises(SourceError) as caught:
        logins(tmp_path, config).login("quay.io", "a")
    assert (caught.value.id, caught.value.where) == (ErrorId.CREDENTIALS_UNREADABLE, str(tmp_path / "config.json"))
    assert SECRET not in "".join(traceback.format_exception(caught.value))


def test_a_broken_entry_of_another_host_is_no_matter(tmp_path: Path) -> None:
    found = logins(tmp_path, {"auths": {"broken.example": {"auth": "?"}, "quay.io": auth()}})
    assert found.login("quay.io", "a") is not None


def test_absent_and_empty_files_know_nothing(tmp_path: Path) -> None:
    assert DockerLogins({"HOME": str(tmp_path)}, user_id=12345).login("quay.io", "a") is None
    assert logins(tmp_path, "").login("quay.io", "a") is None


def test_where_the_files_are() -> None:
    home = config_files({"HOME": "/home/u"}, 7)
    assert [str(path) for path in home] == [
        "/home/u/.docker/config.json",
        "/run/containers/7/auth.json",
        "/home/u/.config/containers/auth.json",
    ]
    everywhere = config_files(
        {
            "HOME": "/home/u",
            "DOCKER_CONFIG": "/d",
            "REGISTRY_AUTH_FILE": "/r.json",
            "XDG_RUNTIME_DIR": "/x",
            "XDG_CONFIG_HOME": "/c",
        },
        7,
    )
    assert everywhere == tuple(
        map(Path, ("/r.json", "/d/config.json", "/x/containers/auth.json", "/c/containers/auth.json"))
    )


def test_a_later_file_is_asked_when_the_first_knows_nothing(tmp_path: Path) -> None:
    named = tmp_path / "named.json"
    named.write_text(json.dumps({"auths": {"other.example": auth()}}))
    (tmp_path / "config.json").write_text(json.dumps({"auths": {"quay.io": auth()}}))
    found = DockerLogins({"DOCKER_CONFIG": str(tmp_path), "REGISTRY_AUTH_FILE": str(named)}, user_id=12345)
    login = found.login("quay.io", "a")
    assert login is not None
    assert login.found_in == str(tmp_path / "config.json")
    assert found.searched.startswith(f"{named}, {tmp_path / 'config.json'}")


def write_helper(directory: Path, body: str) -> Path:
    path = directory / "docker-credential-test"
    path.write_text(f'#!/bin/sh\nread -r server\necho "$server" >> "{directory}/asked"\n{body}\n')
    path.chmod(0o755)
    return directory / "asked"


def test_the_store_is_asked_under_docker_hubs_old_name(tmp_path: Path) -> None:
    asked = write_helper(tmp_path, """printf '{"Username": "<token>", "Secret": "identity"}'""")
    found = logins(tmp_path, {"credsStore": "test"})
    for _ in range(2):
        login = found.login("docker.io", "library/busybox")
        assert login == RegistryLogin("<token>", "identity", "docker-credential-test", "identity-token")
    assert asked.read_text() == "https://index.docker.io/v1/\n"


def test_a_helper_of_the_host_goes_before_the_store(tmp_path: Path) -> None:
    write_helper(tmp_path, """printf '{"Username": "u", "Secret": "s"}'""")
    found = logins(tmp_path, {"credsStore": "absent", "credHelpers": {"quay.io": "test", "file.example": ""}})
    login = found.login("quay.io", "a")
    assert login is not None
    assert login.username == "u"
    # an empty helper name means the file itself
    assert found.login("file.example", "a") is None
    with pytest.raises(ToolMissingError) as caught:
        found.login("elsewhere.example", "a")
    assert caught.value.program == "docker-credential-absent"


@pytest.mark.parametrize(
    "body", ["echo 'credentials not found in native keychain'; exit 1", """printf '{"Username": "", "Secret": ""}'"""]
)
def test_a_helper_that_has_nothing_leaves_the_file(tmp_path: Path, body: str) -> None:
    asked = write_helper(tmp_path, body)
    found = logins(tmp_path, {"credsStore": "test", "auths": {"quay.io": auth(), "other.example": {}}})
    assert found.login("quay.io", "a") is not None
    assert found.login("other.example", "a") is None
    assert asked.read_text() == "quay.io\nother.example\n"


@pytest.mark.parametrize(
    ("body", "told"),
    [
        ("echo 'the keyring is locked'; exit 3", "failed with status 3: the keyring is locked"),
        (f"""echo '{{"Username": "u", "Secret": "{SECRET}"}}'; exit 3""", "failed with status 3"),
        (f"echo {SECRET}", "no JSON with Username and Secret"),
        ("""printf '{"Username": "u", "Secret": 7}'""", "no text"),
    ],
)
def test_a_failing_helper_is_named_and_its_secrets_are_not(tmp_path: Path, body: str, told: str) -> None:
    write_helper(tmp_path, body)
    with pytest.raises(SourceError) as caught:
        logins(tmp_path, {"credsStore": "test"}).login("quay.io", "a")
    assert caught.value.id == ErrorId.CREDENTIALS_UNREADABLE
    assert told in caught.value.what
    assert SECRET not in "".join(traceback.format_exception(caught.value))


@pytest.mark.parametrize(
    ("body", "told"),
    [
        ("head -c 200000 /dev/zero | tr '\\0' '['", "no JSON with Username and Secret"),
        ("yes '{' | head -c 200000", "no JSON with Username and Secret"),
        ('printf \'{"Username": %0400d, "Secret": 1}\' 1', "no JSON with Username and Secret"),
        ('printf \'{"Username": 1%0400d, "Secret": 1}\' 1', "that is no text"),
        ('echo \'{"Username": "u", "Secret": "\\\\ud800"}\'', "with half a character"),
        ("exec yes", "answered more than 1,048,576 bytes"),
        ("exec yes >&2", "answered more than 1,048,576 bytes"),
    ],
)
def test_an_answer_that_nobody_means_is_bounded(tmp_path: Path, body: str, told: str) -> None:
    write_helper(tmp_path, body)
    environment = {"PATH": f"{tmp_path}:{os.environ['PATH']}"}
    with pytest.raises(SourceError, match=told) as caught:
        ask_helper("test", "quay.io", environment, configured_in="config.json")
    assert caught.value.id is ErrorId.CREDENTIALS_UNREADABLE


def test_a_helper_that_is_no_program(tmp_path: Path) -> None:
    path = tmp_path / "docker-credential-test"
    path.write_text("not a program")
    path.chmod(0o755)
    with pytest.raises(SourceError, match="cannot be run"):
        logins(tmp_path, {"credsStore": "test"}).login("quay.io", "a")


def test_a_helper_that_hangs_is_not_waited_for_nor_is_what_it_started(tmp_path: Path) -> None:
    write_helper(tmp_path, f'sleep 300 & echo $! > "{tmp_path}/child"; wait')
    environment = {"PATH": f"{tmp_path}:/usr/bin:/bin"}
    with pytest.raises(SourceError, match=r"did not answer within 0\.5 s"):
        ask_helper("test", "quay.io", environment, configured_in="config.json", within_s=0.5)
    child = int((tmp_path / "child").read_text())
    # it runs on: it was not waited for
    assert Path(f"/proc/{child}/comm").read_text() == "sleep\n"
    os.kill(child, signal.SIGKILL)


def test_a_helpers_name_is_no_path(tmp_path: Path) -> None:
    with pytest.raises(ToolMissingError):
        logins(tmp_path, {"credsStore": "../../bin/sh"}).login("quay.io", "a")


def test_secrets_are_not_in_the_repr() -> None:
    assert SECRET not in repr(RegistryLogin("u", SECRET, "file"))


@pytest.mark.parametrize(
    ("port", "host", "stored", "is_found"),
    [
        (443, "master", "master:443", True),
        (80, "master", "master:80", True),
        (443, "master:443", "master", True),
        (80, "master:80", "master", True),
        (443, "master", "master:80", False),
        (80, "master", "master:443", False),
        (443, "master:8443", "master", False),
        (443, "master", "master:8443", False),
    ],
)
def test_the_port_of_the_scheme_may_be_named_or_not(
    tmp_path: Path, port: int, host: str, stored: str, is_found: bool
) -> None:
    # docker login wants it behind a bare word
    pair = base64.b64encode(b"admin:s3cret").decode()
    (tmp_path / "config.json").write_text(json.dumps({"auths": {stored: {"auth": pair}}}))
    logins = DockerLogins({"DOCKER_CONFIG": str(tmp_path)}, user_id=12345, default_port=port)
    assert (logins.login(host, "k8s/app") is not None) == is_found


def test_the_host_as_it_is_given_goes_first(tmp_path: Path) -> None:
    entries = {
        name: {"auth": base64.b64encode(f"{name}:x".encode()).decode()}
        for name in ("elsewhere", "master:443", "master")
    }
    entries["master"] = {"auth": base64.b64encode(b"exact:x").decode()}
    (tmp_path / "config.json").write_text(json.dumps({"auths": entries}))
    found = DockerLogins({"DOCKER_CONFIG": str(tmp_path)}, user_id=12345).login("master", "k8s/app")
    assert found is not None
    assert found.username == "exact"
