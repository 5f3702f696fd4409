"""Images without a registry: the script as it is handed out, and the commands that run it."""

from __future__ import annotations

import subprocess

import pytest

from mirror.client.image_snippets import image_snippets
from mirror.client.reach import Reach, Snippet
from tests.unit.mirror.sites import index_of, offer_from

IMAGES = {"k8simage/images.tsv": b"", "k8simage/load.sh": b""}
PLAIN = Reach("master", 8088, False, 21)


def made(reach: Reach = PLAIN, contents: dict[str, bytes] | None = None) -> dict[str, Snippet]:
    index = index_of(IMAGES if contents is None else contents)
    return {snippet.name: snippet for snippet in image_snippets(offer_from(index), reach)}


def test_each_engine_has_its_commands_and_both_the_same_script() -> None:
    found = made()
    assert list(found) == ["docker-images.sh", "containerd-images.sh", "fetch-images.sh"]
    script = "curl -gfsS http://master:8088/-/client/fetch-images.sh | sh -s --"
    assert found["docker-images.sh"].text.splitlines()[1:] == [
        f"{script} --list", f"{script} --only '*pause*'", script
    ]  # fmt: skip
    assert found["containerd-images.sh"].text.splitlines()[-1] == f"{script} --containerd"
    assert found["docker-images.sh"].commands
    assert not found["fetch-images.sh"].commands


@pytest.mark.parametrize(
    ("reach", "url", "option"),
    [
        (PLAIN, "http://master:8088", ""),
        (Reach("master", 8443, True, 21), "https://master:8443", ""),
        (Reach("master", None, True, 21), "ftp://master", "--ssl-reqd"),
        (Reach("fd00::1", None, False, 2121), "ftp://[fd00::1]:2121", ""),
    ],
)
def test_the_script_is_whole_and_knows_its_mirror(reach: Reach, url: str, option: str) -> None:
    text = made(reach)["fetch-images.sh"].text
    assert "@URL@" not in text
    assert "@CURL_OPTIONS@" not in text
    assert ("--ssl-reqd" in text) is bool(option)
    # a shell reads it, and takes the mirror's URL as one word
    assert subprocess.run(["sh", "-n"], input=text, text=True, check=False).returncode == 0
    (line,) = (line for line in text.splitlines() if line.startswith("mirror=${MIRROR_URL:-"))
    shown = f'unset MIRROR_URL; {line}; printf %s "$mirror"'
    assert subprocess.run(["sh", "-c", shown], capture_output=True, text=True, check=True).stdout == url


def test_without_http_the_script_alone_is_there() -> None:
    assert list(made(Reach("master", None, False, 21))) == ["fetch-images.sh"]


@pytest.mark.parametrize("missing", sorted(IMAGES))
def test_a_bundle_without_what_the_script_needs_has_none(missing: str) -> None:
    assert made(contents={path: b"" for path in IMAGES if path != missing}) == {}
    assert made(Reach("master", None, False, None, registry=5000)) == {}


def test_with_tls_the_script_is_told_of_the_authority_too() -> None:
    text = made(Reach("master", 8443, True, None))["docker-images.sh"].text
    assert "# and for the script: export MIRROR_CA_FILE=FILE.pem\n" in text
    assert "MIRROR_CA_FILE" not in made()["docker-images.sh"].text
