"""edge.sh as the real mirror hands it out: to whom, with which address, and what comes of running it."""

from __future__ import annotations

import platform
import re
import subprocess
from typing import TYPE_CHECKING

import pytest

from bundler.archive.bundle_root import opened_root
from bundler.model.bundle import bundle_id, decode_index
from bundler.model.subset import Choice, Subset, encode_subset
from tests.fakes.certificates import authority
from tests.integration.bare_path import path_with
from tests.integration.edge_bundle import ARM, ARM64, FILES, TOOLS, is_whole, made, run
from tests.integration.mirror_program import mirror
from tests.integration.raw_http import connected
from tests.integration.test_mirror_http_access import hashed

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from tests.integration.mirror_program import Mirror

pytestmark = [pytest.mark.integration, pytest.mark.skipif(platform.machine() != "x86_64", reason="files for x86_64")]
EDGE = "/-/edge.sh"
NEXT = {**FILES, "kubeedge/next": (b"next", ("edge",), ())}


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A root with two bundles, the first being current."""
    for name, files in (("first", FILES), ("second", NEXT)):
        made(tmp_path, name, files)
        (tmp_path / "root").mkdir(exist_ok=True)
        (tmp_path / name).rename(tmp_path / "root" / name)
    activate(tmp_path / "root", "first")
    tmp_path.chmod(0o755)
    return tmp_path / "root"


def activate(root: Path, name: str) -> None:
    with opened_root(root) as handle:
        handle.activate(name)


def name_of(tree: Path) -> str:
    return f"demo-{bundle_id((tree / 'bundle.json').read_bytes())[:12]}"


def handed_out(running: Mirror, directory: Path, *options: str, target: str = EDGE) -> Path:
    """Fetch the script as an operator does."""
    file = directory / "edge.sh"
    done = subprocess.run(
        ["curl", "-gfsS", *options, "-o", str(file), f"{running.url}{target}"], capture_output=True, check=False
    )
    assert done.returncode == 0, done.stderr
    return file


@pytest.mark.parametrize("programs", [("curl", "sha256sum"), ("wget", "sha256sum"), ("busybox",)])
def test_an_edge_gets_its_part_from_the_mirror(tmp_path: Path, root: Path, programs: Sequence[str]) -> None:
    path = path_with(tmp_path / "path", (*TOOLS, *programs))
    with mirror(root, "--workers", "2") as running:
        file = handed_out(running, tmp_path)
        run("sh", file, "--root", "edge", path=path)
        is_whole(tmp_path / "edge", name_of(root / "first"))
        assert "0 of them fetched" in run("sh", file, "--root", "edge", path=path).stdout


@pytest.mark.parametrize("programs", [("curl", "sha256sum"), ("wget", "sha256sum"), ("busybox",)])
def test_a_root_that_is_the_bundle_has_an_address_that_every_client_can_ask(
    tmp_path: Path, programs: Sequence[str]
) -> None:
    tree = made(tmp_path, "served", FILES)
    path = path_with(tmp_path / "path", (*TOOLS, *programs))
    with mirror(tree) as running:
        file = handed_out(running, tmp_path)
        assert f"mirror='{running.url}/@.'" in file.read_text()
        run("sh", file, "--root", "edge", path=path)
        is_whole(tmp_path / "edge", name_of(tree))


def test_another_bundle_is_activated_while_an_edge_fetches(tmp_path: Path, root: Path) -> None:
    with mirror(root, "--rate-limit", "1000000") as running:
        file = handed_out(running, tmp_path)
        with subprocess.Popen(
            ["sh", str(file), "--root", "edge"], cwd=tmp_path, stdout=subprocess.PIPE, text=True
        ) as fetching:
            assert fetching.stdout is not None
            while "kubeedge/big" not in fetching.stdout.readline():
                assert fetching.poll() is None
            activate(root, "second")
            running.told("mirror: reloaded")
            fetching.stdout.read()
        assert fetching.returncode == 0
        is_whole(tmp_path / "edge", name_of(root / "first"))
        run("sh", handed_out(running, tmp_path), "--root", "edge")
        assert (tmp_path / "edge/current").readlink().name == name_of(root / "second")


def test_each_bundle_has_its_own_and_what_is_none_has_none(tmp_path: Path, root: Path) -> None:
    with mirror(root) as running, connected(running.port) as wire:
        for name in ("first", "second"):
            file = handed_out(running, tmp_path, target=f"/@{name}{EDGE}")
            assert f"mirror='{running.url}/@{name}'" in file.read_text()
            run("sh", file, "--root", name)
            assert (tmp_path / name / "current").readlink().name == name_of(root / name)
        for target in (f"/@third{EDGE}", f"/first{EDGE}", f"/@first/x{EDGE}", f"{EDGE}/x", "/@first/-/health"):
            assert wire.get(target).status == 404
        (root / "current").unlink()
        running.told("mirror: reloaded")
        assert wire.get(EDGE).status == 404
        assert wire.get(f"/@second{EDGE}").status == 200


@pytest.mark.parametrize("host", ["master", "master:8088", "10.0.0.1:80", "[2001:db8::1]:8088", "a_b-c.d"])
def test_the_address_is_the_one_that_the_client_named_once_and_quoted(root: Path, host: str) -> None:
    with mirror(root) as running, connected(running.port) as wire:
        wire.send(f"GET {EDGE} HTTP/1.1\r\nHost: {host}\r\n\r\n".encode())
        answer = wire.answer()
        assert answer.status == 200
        assert answer.body.count(host.encode()) == 1 or host == "master"
        assert f"    mirror='http://{host}/@first'\n".encode() in answer.body
        assert answer.fields["cache-control"] == "no-store"
        wire.send(f"HEAD {EDGE} HTTP/1.1\r\nHost: {host}\r\n\r\n".encode())
        head = wire.answer(head=True)
        assert (head.status, head.fields["content-length"]) == (200, str(len(answer.body)))


@pytest.mark.parametrize(
    "host",
    ["a'b", "$(id)", "`id`", "a;id", "a b", "a\tb", 'a"b', "a\\b", "-oX", "a..b", "a~b", "[::1", "[::1]x", "::1", "@",
     "a@b", "a/b", "a:b", "a:", "a:123456", "x" * 300, "é", ""],
)  # fmt: skip
def test_a_host_that_is_none_gets_no_script(root: Path, host: str) -> None:
    with mirror(root) as running:
        for version in ("1.1", "1.0"):
            with connected(running.port) as wire:
                wire.send(f"GET {EDGE} HTTP/{version}\r\nHost: {host}\r\nConnection: close\r\n\r\n".encode())
                answer = wire.answer()
                assert answer.status == 400
                assert b"mirror=" not in answer.body


def test_one_of_http_1_0_that_names_no_host_gets_no_script(root: Path) -> None:
    with mirror(root) as running, connected(running.port) as wire:
        wire.send(f"GET {EDGE} HTTP/1.0\r\n\r\n".encode())
        assert wire.answer().status == 400


def test_a_mirror_with_tls_and_users(tmp_path: Path, root: Path) -> None:
    site = authority(tmp_path)
    (tmp_path / "netrc").write_text("machine 127.0.0.1 login anna password s3cret\n")
    (tmp_path / "users").write_text(hashed("anna", "s3cret"))
    options = ("--tls-cert", str(site.server_file("127.0.0.1")), "--users", str(tmp_path / "users"))
    ours = ("--ca-file", str(site.file), "--netrc-file", "netrc")
    with mirror(root, *options) as running:
        refused = subprocess.run(
            ["curl", "-ksS", "-o", "/dev/null", "-w", "%{http_code}", f"{running.url}{EDGE}"],
            capture_output=True, text=True, check=True,
        )  # fmt: skip
        assert refused.stdout == "401"
        file = handed_out(running, tmp_path, "--cacert", str(site.file), "--netrc-file", str(tmp_path / "netrc"))
        assert f"mirror='https://127.0.0.1:{running.port}/@first'" in file.read_text()
        run("sh", file, "--root", "edge", code=4)
        run("sh", file, "--root", "edge", "--ca-file", str(site.file), code=4)
        run("sh", file, "--root", "edge", *ours)
        is_whole(tmp_path / "edge", name_of(root / "first"))


def leave_out(tree: Path, choice: Choice) -> None:
    """Make a tree a part of its bundle, as `unpack` leaves it."""
    data = (tree / "bundle.json").read_bytes()
    for file in decode_index(data, where="test").files:
        if not choice.wants(file):
            (tree / file.path).unlink()
    (tree / "subset.json").write_bytes(encode_subset(Subset(bundle_id(data), (choice,))))


def test_a_part_that_has_all_of_an_edge_serves_it(tmp_path: Path, root: Path) -> None:
    leave_out(root / "first", Choice(roles=("edge",)))
    with mirror(root) as running:
        run("sh", handed_out(running, tmp_path), "--root", "edge")
        is_whole(tmp_path / "edge", name_of(root / "first"))


def test_a_part_that_lacks_some_of_it_is_told(tmp_path: Path, root: Path) -> None:
    leave_out(root / "first", Choice(platforms=(ARM64, ARM)))
    with mirror(root) as running:
        done = run("sh", handed_out(running, tmp_path), "--root", "edge", code=9)
        assert "only a part of this bundle" in done.stderr
        assert not (tmp_path / "edge/current").exists()


def test_the_page_and_the_snippets_say_how(tmp_path: Path, root: Path) -> None:
    full = bundle_id((root / "first/bundle.json").read_bytes())
    with mirror(root) as running, connected(running.port) as wire:
        page = re.sub(r"<[^>]+>", "", wire.get("/", "Accept: text/html", "Accept-Language: en").body.decode())
        assert "KubeEdge edges" in page
        assert f"sh edge.sh --id {full}" in page
        commands = handed_out(running, tmp_path, target="/-/client/edge-node.sh").read_text()
        assert "comes over plain HTTP" in commands
        done = subprocess.run(
            ["sh", "-c", commands.replace(f"--id {full}", f"--id {full} --root edge")],
            cwd=tmp_path, capture_output=True, text=True, check=False, timeout=120,
        )  # fmt: skip
    assert done.returncode == 0, done.stderr
    is_whole(tmp_path / "edge", name_of(root / "first"))
