"""`mirror clients`: what it prints of a bundle on this disk."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest
from click.testing import CliRunner

from bundler.errors import ErrorId, ServeError
from bundler.model.bundle import encode_index, sums_text
from mirror.cli import mirror
from tests.unit.mirror.bundle_tree import write_bundle
from tests.unit.mirror.sites import index_of

if TYPE_CHECKING:
    from pathlib import Path

    from click.testing import Result

CONTENTS = {"yum/repodata/repomd.xml": b"<repomd/>", "yum/RPM-GPG-KEY-demo": b"key", "docs/notes.txt": b"notes"}


@pytest.fixture
def root(tmp_path: Path) -> Path:
    index = index_of(CONTENTS)
    data = encode_index(index)
    for path, content in {**CONTENTS, "bundle.json": data, "SHA256SUMS": sums_text(index.files, data)}.items():
        (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / path).write_bytes(content)
    return tmp_path


def clients(root: Path, *arguments: str) -> Result:
    return CliRunner().invoke(mirror, ["clients", "--root", str(root), "--host", "master", *arguments])


def test_all_of_them_with_titles(root: Path) -> None:
    said = clients(root).output
    assert "## yum-http.repo, /etc/yum.repos.d/bundle.repo: " in said
    assert "ftp://master/docs/notes.txt" in said


def test_one_of_them_and_nothing_else(root: Path) -> None:
    said = clients(root, "--http-port", "80", "yum-http.repo").output
    assert said.startswith("[local]\nname=")
    assert said.endswith("gpgkey=http://master/yum/RPM-GPG-KEY-demo\n")


def test_as_json(root: Path) -> None:
    answer = json.loads(clients(root, "--json", "--ftp-port", "off", "--tls").stdout)
    assert answer["schema"] == "mirror.clients/1"
    names = [snippet["name"] for snippet in answer["snippets"]]
    assert names == ["edge-node.sh", "yum-http.repo", "yum-http.sh", "file-http.sh", "bundle-http.sh"]
    assert "https://master:8088/" in answer["snippets"][1]["text"]


@pytest.mark.parametrize(
    ("arguments", "what"),
    [
        (("nothing",), "there are: edge-node.sh"),
        (("--http-port", "0"), "neither a port"),
        (("--ftp-port", "x"), "port"),
    ],
)
def test_what_is_wrong_with_the_command_line(arguments: tuple[str, ...], what: str, root: Path) -> None:
    done = clients(root, *arguments)
    assert done.exit_code == 2
    assert what in done.output


@pytest.mark.parametrize("host", ["", "master:8088", "http://master", "a b", "-x", "master/opt", "a\nb", "[master]"])
def test_what_is_no_host(host: str, root: Path) -> None:
    refused = clients(root, "--host", host)
    assert refused.exit_code == 2
    assert "neither a host's name nor an address" in refused.output


@pytest.mark.parametrize("host", ["[2001:db8::1]", "2001:db8::1"])
def test_an_address_with_or_without_brackets(host: str, root: Path) -> None:
    assert "http://[2001:db8::1]:8088/" in clients(root, "--host", host, "file-http.sh").output


def refusal(root: Path) -> ServeError:
    error = clients(root).exception
    assert isinstance(error, ServeError)
    assert error.id == ErrorId.SERVE_ROOT_UNUSABLE
    return error


def test_a_root_without_a_bundle_is_told_with_what_to_do(tmp_path: Path) -> None:
    error = refusal(tmp_path)
    assert "no bundle" in error.what
    assert f"bundler unpack ARCHIVE -C {tmp_path}" in error.remedy


def test_bundles_of_which_none_is_current_are_told_with_what_to_do(tmp_path: Path) -> None:
    write_bundle(tmp_path / "demo-1")
    error = refusal(tmp_path)
    assert "no bundle is current" in error.what
    assert f"bundler activate NAME --root {tmp_path}" in error.remedy
