"""A bundle that comes from a running mirror, or from what only pretends to be one: by the real commands."""

from __future__ import annotations

import os
import random
import re
import shutil
import subprocess
import threading
from contextlib import suppress
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from bundler.model.signature_name import MAX_SIGNATURE_BYTES
from tests.fakes.certificates import authority
from tests.integration.demo_bundle import demo_bundle
from tests.integration.json_answers import BUNDLER, bundler
from tests.integration.mirror_program import mirror
from tests.integration.nginx import nginx
from tests.unit.archive.bundles import CONTENTS, files_below, sample, tree_of
from tests.unit.trust.signers import signer, written

if TYPE_CHECKING:
    from collections.abc import Mapping

    from tests.unit.archive.bundles import Sample

pytestmark = pytest.mark.integration
BIG = random.Random(5).randbytes(3_000_000)
NEWER = {**CONTENTS, "harbor/more": b"more", "kubeedge/big": BIG}


def served(directory: Path, contents: Mapping[str, bytes], name: str) -> Sample:
    """Unpack a bundle of these contents into `name`, and keep its archive as `name.tar.gz`."""
    made = sample(directory / f"{name}.store", contents)
    made.write(directory / f"{name}.tar.gz")
    bundler(directory, "unpack", f"{name}.tar.gz", "-C", name)
    for below in (directory / name).rglob("*"):
        assert below.exists()
    return made


def test_only_what_no_bundle_here_holds_is_fetched(tmp_path: Path) -> None:
    served(tmp_path, CONTENTS, "older")
    made = served(tmp_path, NEWER, "newer")
    bundler(tmp_path, "unpack", "older.tar.gz", "--root", "root")
    with nginx(tmp_path / "newer", tmp_path) as server:
        answer = bundler(tmp_path, "unpack", f"{server.url}/", "--root", "root", "--activate", "--id", made.bundle.id)
        assert {line.split()[1] for line in server.requests()} == {
            "/bundle.json",
            "/SHA256SUMS",
            "/SHA256SUMS.sig",
            "/harbor/more",
            "/kubeedge/big",
        }
    tree = Path(answer["directory"])
    assert files_below(tree) == tree_of(made.bundle, made.store.blobs)
    assert bundler(tmp_path, "verify", str(tree), "--strict")["intact"]
    assert (tree / "kubeedge/keadm-amd64").stat().st_mode & 0o7777 == 0o755
    assert {
        path.name for path in (tmp_path / "root").iterdir() if path.name.endswith((".fetched", ".partial"))
    } == set()


@pytest.mark.parametrize("place", ["--root", "-C"])
def test_a_second_hop_is_the_bundle_itself(tmp_path: Path, place: str) -> None:
    made = served(tmp_path, NEWER, "newer")
    with mirror(tmp_path / "newer") as running:
        answer = bundler(tmp_path, "unpack", running.url, place, "second")
        assert bundler(tmp_path, "verify", running.url) == bundler(tmp_path, "verify", "newer.tar.gz")
    tree = tmp_path / answer["directory"]
    assert files_below(tree) == tree_of(made.bundle, made.store.blobs)
    newest = max(file.mtime or 0 for file in made.bundle.files)
    assert {path.stat().st_mtime for path in tree.rglob("*") if path.is_dir()} == {newest}
    for file in made.bundle.files:
        assert (tree / file.path).stat().st_mtime == (file.mtime or newest)


@pytest.mark.parametrize("place", ["--root", "-C"])
def test_a_signature_comes_along_from_wherever_the_bundle_is(tmp_path: Path, place: str) -> None:
    served(tmp_path, CONTENTS, "signed")
    (tmp_path / "signed/SHA256SUMS.sig").write_bytes(b"signature")
    with mirror(tmp_path / "signed") as running:
        for source, target in (("signed", "from a tree"), (running.url, "from a mirror")):
            answer = bundler(tmp_path, "unpack", source, place, target)
            assert (tmp_path / answer["directory"] / "SHA256SUMS.sig").read_bytes() == b"signature"
            bundler(tmp_path, "verify", "--strict", answer["directory"])


def test_a_mirror_is_asked_for_the_signatures_of_the_keys_that_are_trusted(tmp_path: Path) -> None:
    served(tmp_path, CONTENTS, "signed")
    for who in ("alice", "bob", "mallory"):
        written(tmp_path, who)
    for who in ("alice", "bob"):
        bundler(tmp_path, "sign", "signed", "--sign", f"{who}.key")
    with mirror(tmp_path / "signed", "--verify", "--key", str(tmp_path / "bob.pem")) as running:
        answer = bundler(tmp_path, "unpack", running.url, "-C", "second", "--key", "bob.pem")
        assert [key["name"] for key in answer["signed_by"]] == ["bob"]
        assert (tmp_path / "second" / f"SHA256SUMS.sig.{signer('bob').key.id}").is_file()
        assert bundler(tmp_path, "verify", running.url, "--key", "alice.pem")["signed_by"] == answer_of("alice")
        assert bundler(tmp_path, "unpack", running.url, "-C", "third", "--key", "mallory.pem", code=5)
        assert not (tmp_path / "third").exists()


def answer_of(name: str) -> list[dict[str, str]]:
    return [{"key": signer(name).key.id, "name": name}]


def test_what_is_longer_than_any_signature_is_none(tmp_path: Path) -> None:
    served(tmp_path, CONTENTS, "signed")
    (tmp_path / "signed/SHA256SUMS.sig").write_bytes(bytes(MAX_SIGNATURE_BYTES + 1))
    bundler(tmp_path, "unpack", "signed", "-C", "from a tree")
    assert not (tmp_path / "from a tree" / "SHA256SUMS.sig").exists()


def test_a_description_comes_over_tls_from_a_mirror_that_is_trusted(tmp_path: Path) -> None:
    tree = demo_bundle(tmp_path)
    trusted = authority(tmp_path, "Right Root")
    trusted.server_context("127.0.0.1")
    (chain,) = tmp_path.glob("Right-Root-*.pem")
    with nginx(tree, tmp_path, chain=chain) as server:
        ours = ("--ca-file", str(trusted.file))
        there, here = bundler(tmp_path, "inspect", server.url, *ours), bundler(tmp_path, "inspect", "demo.tar.gz")
        assert there == here
        assert bundler(tmp_path, "diff", "demo.tar.gz", server.url, *ours)["changes"] == []
        for words in (("inspect", server.url), ("diff", server.url, "demo.tar.gz")):
            assert bundler(tmp_path, *words, code=4)["id"] == "source-tls"


def test_a_run_that_was_killed_goes_on_where_it_was(tmp_path: Path) -> None:
    made = served(tmp_path, NEWER, "newer")
    with nginx(tmp_path / "newer", tmp_path, directives="limit_rate 1m;") as server:
        unpacking = subprocess.Popen(
            [BUNDLER, "unpack", server.url, "--root", "root"], cwd=tmp_path, stderr=subprocess.DEVNULL
        )
        partial = tmp_path / f"root/.demo-{made.bundle.id[:12]}.fetched/partial"
        while not _has_begun(partial):
            assert unpacking.poll() is None
        unpacking.kill()
        unpacking.wait()
        bundler(tmp_path, "unpack", server.url, "--root", "root")
        assert "GET /kubeedge/big 206" in server.requests()
    assert files_below(tmp_path / f"root/demo-{made.bundle.id[:12]}") == tree_of(made.bundle, made.store.blobs)
    assert {path.name for path in (tmp_path / "root").iterdir()} == {".bundles.json", f"demo-{made.bundle.id[:12]}"}


def _has_begun(partial: Path) -> bool:
    """Tell whether a good part of one file has arrived; files come and go meanwhile."""
    with suppress(FileNotFoundError):
        return any(path.stat().st_size > 500_000 for path in partial.glob("*"))
    return False


def test_what_lies_is_not_believed(tmp_path: Path) -> None:
    made = served(tmp_path, NEWER, "newer")
    liar = tmp_path / "liar"
    shutil.copytree(tmp_path / "newer", liar)
    (liar / "kubeedge/big").write_bytes(BIG[:-1] + b"?")
    with nginx(liar, tmp_path) as server:
        error = bundler(tmp_path, "unpack", server.url, "--root", "root", code=5)
        assert error["id"] == "upstream-changed"
        assert error["where"].endswith("/kubeedge/big")
        report = bundler(tmp_path, "verify", server.url, code=5)
        assert (report["changed"], report["missing"]) == (["kubeedge/big"], [])
        (liar / "kubeedge/big").unlink()
        assert bundler(tmp_path, "unpack", server.url, "-C", "tree", code=5)["id"] == "bundle-damaged"
        assert bundler(tmp_path, "verify", server.url, code=5)["missing"] == ["kubeedge/big"]
        assert (
            bundler(tmp_path, "unpack", server.url, "-C", "tree", "--id", "0" * 12, code=5)["id"] == "bundle-other-id"
        )
        (liar / "bundle.json").write_bytes(b"{}")
        assert bundler(tmp_path, "inspect", server.url, code=6)["id"] == "bundle-invalid"
        (liar / "bundle.json").unlink()
        assert bundler(tmp_path, "diff", server.url, "newer.tar.gz", code=6)["id"] == "bundle-not-found"
    assert list((tmp_path / "root").glob("[!.]*")) == []
    # nothing is fetched twice because of somebody's lie, and nothing wrong is kept
    with nginx(tmp_path / "newer", tmp_path / "again") as server:
        bundler(tmp_path, "unpack", server.url, "--root", "root")
        assert "/harbor/more" not in {line.split()[1] for line in server.requests()}
    assert files_below(tmp_path / f"root/demo-{made.bundle.id[:12]}") == tree_of(made.bundle, made.store.blobs)


LIES = {
    "endless": (200, {"Connection": "close"}, "upstream-changed"),
    "longer": (200, {"Content-Length": str(len(BIG) + 1)}, "upstream-changed"),
    "shorter": (200, {"Content-Length": "10"}, "upstream-changed"),
    "another part": (206, {"Content-Range": f"bytes 5-{len(BIG) - 1}/{len(BIG)}"}, "source-refused"),
    "a page": (200, {"Content-Type": "text/html", "Content-Length": "10"}, "source-invalid"),
    "a file of this host": (302, {"Location": "file:///etc/passwd", "Content-Length": "0"}, "source-refused"),
    "itself": (302, {"Location": "/kubeedge/big", "Content-Length": "0"}, "source-invalid"),
}


@pytest.mark.parametrize("lie", LIES)
@pytest.mark.parametrize("path", ["/bundle.json", "/kubeedge/big"])
def test_whatever_a_mirror_answers_ends_and_says_what_its_user_can_do(tmp_path: Path, lie: str, path: str) -> None:
    status, fields, error_id = LIES[lie]
    served(tmp_path, NEWER, "newer")

    class Lying(SimpleHTTPRequestHandler):
        """Lies about one path."""

        def do_GET(self) -> None:
            if self.path != path:
                super().do_GET()
                return
            self.send_response(status)
            for name, value in fields.items():
                self.send_header(name, value)
            self.end_headers()
            with suppress(OSError):
                while lie in ("endless", "longer"):
                    self.wfile.write(bytes(1_000_000))
                self.wfile.write(bytes(10))

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the name of the base class
            """Say nothing."""

    with ThreadingHTTPServer(("127.0.0.1", 0), partial(Lying, directory=str(tmp_path / "newer"))) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        url = f"http://127.0.0.1:{server.server_port}"
        told = [failed(tmp_path, *words, url) for words in (("unpack", "--root", "root"), ("verify",))]
        server.shutdown()
    assert not list((tmp_path / "root").glob("[!.]*"))
    # of bundle.json nothing tells how long it should be, or what it should hold
    assert path == "/bundle.json" or f"[{error_id}]" in told[0]
    for text in told:
        assert not re.search(r"--mirror\b|manifest|lock --update", text), text


def failed(directory: Path, *words: str) -> str:
    """Run a command that an operator can do something about; return what it tells."""
    done = subprocess.run([BUNDLER, *words], cwd=directory, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode in (4, 5, 6), done.stderr
    return done.stderr.partition("error: ")[2]


def test_a_mirror_that_takes_another_bundle_meanwhile_is_named(tmp_path: Path) -> None:
    made = served(tmp_path, NEWER, "newer")
    other = served(tmp_path, CONTENTS, "older")

    class Changing(SimpleHTTPRequestHandler):
        """Serves one bundle's index once, and another bundle from then on."""

        asked: list[str] = []  # noqa: RUF012 - one for the whole server

        def translate_path(self, path: str) -> str:
            first = path == "/bundle.json" and path not in self.asked
            self.asked.append(path)
            return str(tmp_path / ("newer" if first else "older")) + path

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the name of the base class
            """Say nothing."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Changing) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        try:
            url = f"http://127.0.0.1:{server.server_port}"
            error = bundler(tmp_path, "unpack", url, "--root", "root", code=5)
        finally:
            server.shutdown()
    assert f"the mirror serves another bundle by now, {other.bundle.id[:12]}" in error["what"]
    assert "Run the command again" in error["remedy"]
    assert made.bundle.id != other.bundle.id
    assert [path.name for path in (tmp_path / "root").iterdir()] == [f".demo-{made.bundle.id[:12]}.fetched"]


def test_a_password_in_a_url_is_told_to_the_mirror_alone(tmp_path: Path) -> None:
    served(tmp_path, NEWER, "newer")

    def said(*words: str, code: int) -> str:
        done = subprocess.run([BUNDLER, *words], cwd=tmp_path, capture_output=True, text=True, check=False)
        assert done.returncode == code, done.stderr
        return done.stdout + done.stderr

    with nginx(tmp_path / "newer", tmp_path, users={"site": "s3cret"}) as server:
        url = server.url.replace("://", "://site:s3cret@")
        told = said("unpack", url, "--root", "root", code=0) + said("verify", url, code=0)
        (tmp_path / "newer/harbor/more").write_bytes(b"less")
        told += said("unpack", url, "-C", "tree", code=5) + said("unpack", url, "-C", "tree", "--id", "0" * 12, code=5)
        (tmp_path / "newer/bundle.json").write_bytes(b"{}")
        told += said("verify", url, code=6) + said("inspect", f"{url}/absent", code=6)
    assert "s3cret" not in told
    assert "is not a URL that can be asked for" in said("verify", "http://site:s3cret@[::1", code=4)


def test_looking_at_a_mirror_takes_no_room(tmp_path: Path) -> None:
    made = served(tmp_path, NEWER, "newer")
    with nginx(tmp_path / "newer", tmp_path) as server:
        done = subprocess.run(
            # no file of more than 512 bytes can be written
            ["sh", "-c", 'ulimit -f 1; exec "$0" verify "$1"', BUNDLER, server.url],
            capture_output=True,
            text=True,
            env=os.environ | {"TMPDIR": "/nowhere"},
            check=True,
        )
    assert f"{len(made.bundle.files)} of {len(made.bundle.files)} files intact" in done.stdout


def test_a_mirror_that_is_not_there_leaves_nothing(tmp_path: Path) -> None:
    assert bundler(tmp_path, "unpack", "http://127.0.0.1:1", "--root", "root", code=4)["id"] == "source-unreachable"
    assert not (tmp_path / "root").exists()
