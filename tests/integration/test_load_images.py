"""`bundler load-images` against a real Docker engine: what it loads, leaves alone, refuses, and survives."""

from __future__ import annotations

import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec

from bundler.errors import ErrorId, SiteError
from bundler.push.docker import DockerEngine as OurEngine
from tests.integration.docker_engine import DockerEngine, docker_engine
from tests.integration.placed_images import AMD64, ARM64, ARMV7, PlacedImages, place_images
from tests.integration.registries import tls_registry
from tests.integration.token_service import self_signed_certificate

if TYPE_CHECKING:
    from collections.abc import Iterator

pytestmark = pytest.mark.integration

APP, TOOL, EDGE = "docker.io/demo/app:1", "quay.io/some/deep/tool:v2", "docker.io/library/edge:1"
ALIAS = "docker.io/kubeedge/alias:9"
FILLER_BYTES = 3 * 1024 * 1024
SMALL_DISK_BYTES = 5 * 1024 * 1024


@pytest.fixture(scope="module")
def engine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[DockerEngine]:
    with docker_engine(tmp_path_factory.mktemp("engine")) as running:
        yield running


@pytest.fixture(scope="module")
def images(tmp_path_factory: pytest.TempPathFactory) -> PlacedImages:
    wishes = {APP: (AMD64, ARM64, ARMV7), TOOL: (AMD64, ARM64), EDGE: (ARM64,)}
    return place_images(tmp_path_factory.mktemp("made"), wishes, {"app": ALIAS}, filler_bytes=FILLER_BYTES)


@pytest.fixture(scope="module")
def root(images: PlacedImages, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return images.write_bundle(tmp_path_factory.mktemp("a root with spaces"))


@pytest.fixture
def emptied(engine: DockerEngine) -> DockerEngine:
    """The engine without any image."""
    return engine.emptied()


def run(root: Path, *arguments: str, **variables: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [str(Path(sys.executable).with_name("bundler")), "load-images", f"--root={root}", *arguments],
        cwd="/",
        env={**os.environ, **variables},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


def load(root: Path, engine: DockerEngine, *arguments: str) -> subprocess.CompletedProcess[str]:
    return run(root, *arguments, DOCKER_HOST=f"unix://{engine.socket}")


def outcomes(done: subprocess.CompletedProcess[str]) -> dict[str, str]:
    answer = json.loads(done.stdout)
    assert answer["schema"] == "bundler.load/1"
    return {image["names"][0]: image["outcome"] for image in answer["images"]}


def image_ids(engine: DockerEngine) -> dict[str, str]:
    lines = engine.docker("images", "--no-trunc", "--format", "{{.Repository}}:{{.Tag}} {{.ID}}").splitlines()
    return dict(line.split() for line in lines)


def test_every_image_is_loaded_under_all_its_names_and_runs(
    root: Path, images: PlacedImages, emptied: DockerEngine
) -> None:
    done = load(root, emptied)
    assert done.returncode == 0, done.stderr
    assert image_ids(emptied) == {
        "demo/app:1": images.ids[APP]["linux/amd64"],
        "kubeedge/alias:9": images.ids[APP]["linux/amd64"],
        "quay.io/some/deep/tool:v2": images.ids[TOOL]["linux/amd64"],
    }
    assert "2 loaded, 0 present, 0 failed" in done.stdout
    assert f"not there for this platform: {EDGE}" in done.stdout
    assert f"{TOOL}: loaded" in done.stderr
    said = emptied.docker("run", "--rm", "--network=none", "kubeedge/alias:9", "sh", "-c", "read l </image; echo $l")
    assert said == f"{APP} linux/amd64\n"


def test_what_is_there_is_left_alone_and_a_missing_name_is_given_again(root: Path, emptied: DockerEngine) -> None:
    load(root, emptied)
    assert outcomes(load(root, emptied, "--json")) == {APP: "present", TOOL: "present"}
    emptied.docker("rmi", "kubeedge/alias:9")
    assert outcomes(load(root, emptied, "--json")) == {APP: "loaded", TOOL: "present"}
    assert "kubeedge/alias:9" in image_ids(emptied)


def test_a_name_that_another_image_has_is_taken_back(root: Path, images: PlacedImages, emptied: DockerEngine) -> None:
    load(root, emptied)
    emptied.docker("tag", TOOL, ALIAS)
    assert outcomes(load(root, emptied, "--json")) == {APP: "loaded", TOOL: "present"}
    assert image_ids(emptied)["kubeedge/alias:9"] == images.ids[APP]["linux/amd64"]


def test_another_platform_and_only_some(root: Path, images: PlacedImages, emptied: DockerEngine) -> None:
    done = load(root, emptied, "--platform", "linux/arm64/v8", "--only", "edge:*", "--only", "quay.io/*")
    assert done.returncode == 0, done.stderr
    assert image_ids(emptied) == {
        "edge:1": images.ids[EDGE]["linux/arm64"],
        "quay.io/some/deep/tool:v2": images.ids[TOOL]["linux/arm64"],
    }


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (["--only", "nothing*"], 6, "no image is named nothing*"),
        (["--platform", "linux/s390x"], 6, "no image for linux/s390x, only for linux/amd64, linux/arm/v7, linux/arm64"),
        (["--platform", "amd64"], 2, "'amd64' is not a platform"),
    ],
)
def test_nothing_to_load(arguments: list[str], code: int, said: str, root: Path, emptied: DockerEngine) -> None:
    done = load(root, emptied, *arguments)
    assert (done.returncode, said in done.stderr) == (code, True), done.stderr
    assert image_ids(emptied) == {}


@pytest.mark.parametrize("part", ["config", "layer"])
def test_a_damaged_blob_is_named_and_its_image_not_loaded(
    part: str, root: Path, images: PlacedImages, emptied: DockerEngine, tmp_path: Path
) -> None:
    copy = tmp_path / "root"
    shutil.copytree(root, copy)
    archive = json.loads((copy / "k8simage/manifest.json").read_text())
    own = next(item for item in archive if APP in item["RepoTags"])
    damaged = copy / "k8simage" / (own["Config"] if part == "config" else own["Layers"][-1])
    content = bytearray(damaged.read_bytes())
    content[-2] ^= 0x20
    damaged.write_bytes(content)
    done = load(copy, emptied, "--json")
    assert (done.returncode, outcomes(done)) == (5, {APP: "failed", TOOL: "loaded"})
    assert f"{damaged}: this blob is not the one that was bundled" in done.stderr
    assert "[bundle-damaged]" in done.stderr
    assert image_ids(emptied) == {"quay.io/some/deep/tool:v2": images.ids[TOOL]["linux/amd64"]}
    damaged.unlink()
    assert f"{damaged}: this blob" in load(copy, emptied).stderr


def test_a_table_that_was_changed_is_not_believed(root: Path, emptied: DockerEngine, tmp_path: Path) -> None:
    copy = tmp_path / "root"
    shutil.copytree(root, copy)
    table = copy / "k8simage/images.tsv"
    table.write_text(table.read_text().replace("demo/app", "evil/app"))
    done = load(copy, emptied)
    assert (done.returncode, "images.tsv: the table of images is not" in done.stderr) == (5, True), done.stderr
    assert image_ids(emptied) == {}


def test_no_bundle_there(emptied: DockerEngine, tmp_path: Path) -> None:
    done = load(tmp_path, emptied)
    assert (done.returncode, "[bundle-not-found]" in done.stderr) == (6, True), done.stderr


def test_no_engine(root: Path, tmp_path: Path) -> None:
    done = run(root, DOCKER_HOST=f"unix://{tmp_path}/nowhere.sock")
    assert done.returncode == 9
    assert "no container engine answers: No such file or directory" in done.stderr
    assert "systemctl start docker" in done.stderr
    assert "[engine-unreachable]" in done.stderr
    wrong = run(root, DOCKER_HOST="what://is.this")
    assert (wrong.returncode, "[engine-unreachable]" in wrong.stderr) == (9, True), wrong.stderr


def test_an_engine_that_shows_a_certificate_of_somebody_else(root: Path, tmp_path: Path) -> None:
    key = ec.generate_private_key(ec.SECP256R1())
    with tls_registry(tmp_path / "registry") as stranger:
        shutil.copy(tmp_path / "registry/registry.pem", tmp_path / "cert.pem")
        shutil.copy(tmp_path / "registry/registry.key", tmp_path / "key.pem")
        (tmp_path / "ca.pem").write_bytes(self_signed_certificate(key, x509.DNSName("nobody")))
        address = f"tcp://{stranger.host}"
        done = run(root, DOCKER_HOST=address, DOCKER_TLS_VERIFY="1", DOCKER_CERT_PATH=str(tmp_path))
    assert (done.returncode, "[engine-unreachable]" in done.stderr) == (9, True), done.stderr
    assert "certificate verify failed" in done.stderr.lower()


def test_an_engine_that_is_killed_while_an_image_is_on_its_way(tmp_path: Path) -> None:
    with docker_engine(tmp_path / "engine") as dying:
        runtime = dying.socket.parent
        pids = [int((runtime / name).read_text()) for name in ("pid", "exec/containerd/containerd.pid")]

        def archive() -> Iterator[bytes]:
            while True:
                yield bytes(FILLER_BYTES)
                while pids:
                    os.kill(pids.pop(0), signal.SIGKILL)

        with OurEngine({"DOCKER_HOST": f"unix://{dying.socket}"}) as ours:
            with pytest.raises(SiteError) as caught:
                ours.load(archive())
            assert caught.value.id == ErrorId.ENGINE_CUT
            with pytest.raises(SiteError) as caught:
                ours.image_id(APP)
            assert caught.value.id == ErrorId.ENGINE_UNREACHABLE


def test_an_engine_whose_disk_is_full(root: Path, tmp_path: Path) -> None:
    small = tmp_path / "engine"
    small.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={SMALL_DISK_BYTES}", "none", str(small)], check=True)
    try:
        with docker_engine(small) as engine:
            done = load(root, engine, "--json")
            assert image_ids(engine) == {}
    finally:
        subprocess.run(["umount", "--lazy", str(small)], check=True)
    assert (done.returncode, set(outcomes(done).values())) == (11, {"failed"}), done.stderr
    assert "the engine has no room left" in done.stderr


class ScriptedEngine:
    """A socket that answers as an engine does, until it is told to be worse.

    Arguments:
        api: the version it claims.
        load_answer: what it sends for an image, b"" to hang up after the first bytes of it.
    """

    def __init__(self, path: Path, *, api: str = "1.41", load_answer: bytes = b"") -> None:
        self.api, self.load_answer = api, load_answer
        self.listener = socket.socket(socket.AF_UNIX)
        self.listener.bind(str(path))
        self.listener.listen()
        self.environment = {"DOCKER_HOST": f"unix://{path}"}

    def serve(self) -> None:
        # a client keeps a connection while it opens the next one
        with ThreadPoolExecutor() as pool:
            while True:
                try:
                    connection, _ = self.listener.accept()
                except OSError:
                    return
                pool.submit(self._talk, connection)

    def _talk(self, connection: socket.socket) -> None:
        with connection:
            self._answer(connection)

    def _answer(self, connection: socket.socket) -> None:
        head = b""
        while b"\r\n\r\n" not in head:
            if not (received := connection.recv(65536)):
                return
            head += received
        target = head.split()[1].decode()
        if target.endswith("/version"):
            connection.sendall(self._json(200, {"ApiVersion": self.api, "Os": "linux", "Arch": "amd64"}))
        elif "/images/load" in target:
            if self.load_answer:
                connection.sendall(self.load_answer)
                connection.shutdown(socket.SHUT_WR)
                while connection.recv(65536):
                    pass
        else:
            connection.sendall(self._json(404, {"message": "no such image"}))

    @staticmethod
    def _json(status: int, value: dict[str, Any]) -> bytes:
        body = json.dumps(value).encode()
        head = f"HTTP/1.1 {status} X\r\nContent-Type: application/json\r\nConnection: close\r\n"
        return f"{head}Content-Length: {len(body)}\r\n\r\n".encode() + body


@contextmanager
def scripted(path: Path, **settings: Any) -> Iterator[ScriptedEngine]:
    engine = ScriptedEngine(path, **settings)
    thread = threading.Thread(target=engine.serve)
    thread.start()
    try:
        yield engine
    finally:
        # wakes the thread, which closing alone does not
        engine.listener.shutdown(socket.SHUT_RDWR)
        engine.listener.close()
        thread.join()


def events(*texts: str) -> bytes:
    chunks = "".join(f"{len(text.encode()):x}\r\n{text}\r\n" for text in texts)
    return f"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n{chunks}0\r\n\r\n".encode()


@pytest.mark.parametrize(
    ("settings", "code", "error_id"),
    [
        ({"api": "1.38"}, 9, "engine-too-old"),
        ({"api": "1.12"}, 9, "engine-too-old"),
        ({}, 9, "engine-cut"),
        (
            {
                "load_answer": events(
                    '{"errorDetail":{"message":"write /x: no space left on device"},"error":"write"}\n'
                )
            },
            11,
            "disk-full",
        ),
        ({"load_answer": events('{"error":"unexpected EOF"}\n')}, 9, "engine-refused"),
        ({"load_answer": events('{"stream":"Loaded image: x\\n"}\n')}, 9, "engine-image-differs"),
        ({"load_answer": events('{"stream":"Load')[:-20]}, 9, "engine-cut"),
    ],
)
def test_engines_that_fail(settings: dict[str, Any], code: int, error_id: str, root: Path, tmp_path: Path) -> None:
    with scripted(tmp_path / "s", **settings) as engine:
        done = run(root, **engine.environment)
    assert (done.returncode, f"[{error_id}]" in done.stderr) == (code, True), done.stderr
    assert "Traceback" not in done.stderr


def test_a_socket_that_this_user_may_not_use(engine: DockerEngine) -> None:
    reader, writer = os.pipe()
    child = os.fork()
    if child == 0:
        os.setgroups([])
        os.setgid(65534)
        os.setuid(65534)
        try:
            OurEngine({"DOCKER_HOST": f"unix://{engine.socket}"})
        except SiteError as error:
            os.write(writer, str(error.id).encode())
        finally:
            os._exit(0)
    os.close(writer)
    os.waitpid(child, 0)
    with os.fdopen(reader) as told:
        assert told.read() == ErrorId.ENGINE_DENIED
