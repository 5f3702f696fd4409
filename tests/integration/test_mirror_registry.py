"""The mirror's registry over HTTP, and by skopeo: names, bytes, faults, and what a second bundle changes."""

from __future__ import annotations

import hashlib
import json
import os
import signal
import subprocess
from typing import TYPE_CHECKING, Any

import pytest

from bundler.model.image.oci import OCI_INDEX, OCI_MANIFEST
from tests.integration.cutting_proxy import cutting_proxy
from tests.integration.demo_bundle import demo_bundle
from tests.integration.mirror_program import LOOPBACK, Mirror, mirror, refused
from tests.integration.placed_images import AMD64, ARM64, place_images
from tests.integration.raw_http import Answer, connected

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

pytestmark = pytest.mark.integration

APP = "quay.io/demo/app:1"
FILLER_BYTES = 400_000


@pytest.fixture(scope="module")
def tree(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The demo's bundle."""
    return demo_bundle(tmp_path_factory.mktemp("demo"))


@pytest.fixture(scope="module")
def demo(tree: Path) -> Iterator[Mirror]:
    with mirror(tree, "--workers", "2", "--registry", f"{LOOPBACK}:0") as running:
        yield running


@pytest.fixture
def app(tmp_path: Path) -> Path:
    """A bundle of one image, whose largest blob is of a size that takes several packets."""
    placed = place_images(tmp_path / "scratch", {APP: (AMD64, ARM64)}, filler_bytes=FILLER_BYTES)
    tmp_path.chmod(0o755)
    return placed.write_bundle(tmp_path / "root")


def lock_images(tree: Path) -> list[dict[str, Any]]:
    """Return what the lock pins of images."""
    lock = json.loads((tree / "lock.json").read_text())
    entries = [entry for entry in lock["entries"] if entry["kind"] == "images"]
    return [artifact for entry in entries for artifact in entry["artifacts"]]


def site_repository(reference: str) -> tuple[str, str]:
    """Return the demo's name on the site and its tag; its upstream's host has a port."""
    name, _, tag = reference.rpartition(":")
    return name.partition("/")[2], tag


def ask(running: Mirror, path: str, method: str = "GET", port: int = 0, **fields: str) -> Answer:
    """Return what the registry answers to one request; names of fields are lower case."""
    told = [f"{name.replace('_', '-')}: {value}" for name, value in fields.items()]
    with connected(port or running.port) as wire:
        return wire.get(path, *told, method=method)


def skopeo(*arguments: str, code: int = 0) -> bytes:
    done = subprocess.run(["skopeo", "--insecure-policy", *arguments], capture_output=True, check=False, timeout=120)
    assert done.returncode == code, done.stderr.decode()
    return done.stdout if code == 0 else done.stderr


def image_at(running: Mirror, name: str) -> str:
    return f"docker://{running.url.removeprefix('http://')}/{name}"


def test_skopeo_reads_every_image_of_the_lock(demo: Mirror, tree: Path) -> None:
    assert len(lock_images(tree)) == 3
    for artifact in lock_images(tree):
        for reference in (artifact["reference"], *artifact["as"]):
            repository, tag = site_repository(reference)
            there = image_at(demo, repository)
            assert json.loads(skopeo("list-tags", "--tls-verify=false", there))["Tags"] == [tag]
            raw = skopeo("inspect", "--raw", "--tls-verify=false", f"{there}:{tag}")
            assert f"sha256:{hashlib.sha256(raw).hexdigest()}" == artifact["digest"]
            told = json.loads(skopeo("inspect", "--tls-verify=false", f"{there}:{tag}"))
            assert told["Digest"] == artifact["digest"]


def test_skopeo_copies_an_index_byte_by_byte(demo: Mirror, tree: Path, tmp_path: Path) -> None:
    for artifact in lock_images(tree):
        repository, tag = site_repository(artifact["reference"])
        hexadecimal = artifact["digest"].removeprefix("sha256:")
        ours = (tree / "k8simage" / "blobs" / "sha256" / hexadecimal).read_bytes()
        places = {f"dir:{tmp_path / hexadecimal}": tmp_path / hexadecimal / "manifest.json"}
        # skopeo writes no document of Docker's into a layout without turning it into one of OCI's
        if artifact["media_type"] == OCI_INDEX:
            places[f"oci:{tmp_path / 'oci'}:{tag}"] = tmp_path / "oci" / "blobs" / "sha256" / hexadecimal
        for place, copied in places.items():
            there = image_at(demo, f"{repository}:{tag}")
            skopeo("copy", "--all", "--quiet", "--src-tls-verify=false", there, place)
            assert copied.read_bytes() == ours
    assert (tmp_path / "oci").is_dir()


def test_upstream_s_own_index_is_there_by_its_digest(demo: Mirror, tree: Path) -> None:
    pruned = [artifact for artifact in lock_images(tree) if artifact["digest"] != artifact["upstream_digest"]]
    assert pruned
    for artifact in pruned:
        repository, _ = site_repository(artifact["reference"])
        answer = ask(demo, f"/v2/{repository}/manifests/{artifact['upstream_digest']}", accept=OCI_INDEX)
        assert (answer.status, answer.fields["content-type"]) == (200, OCI_INDEX)
        assert f"sha256:{hashlib.sha256(answer.body).hexdigest()}" == artifact["upstream_digest"]
        assert answer.fields["docker-content-digest"] == artifact["upstream_digest"]


def test_skopeo_s_push_is_refused_in_the_mirror_s_words(demo: Mirror, tree: Path, tmp_path: Path) -> None:
    repository, tag = site_repository(lock_images(tree)[0]["reference"])
    skopeo("copy", "--quiet", "--src-tls-verify=false", image_at(demo, f"{repository}:{tag}"), f"oci:{tmp_path}:x")
    for there in (f"{repository}:{tag}", "some/other:1"):
        said = skopeo("copy", "--dest-tls-verify=false", f"oci:{tmp_path}:x", image_at(demo, there), code=1)
        assert b"unsupported: this registry only reads" in said


@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH", "DELETE"])
@pytest.mark.parametrize("fields", [(), ("Content-Length: 5",), ("Transfer-Encoding: chunked",)])
def test_whatever_writes_is_refused(demo: Mirror, method: str, fields: tuple[str, ...]) -> None:
    with connected(demo.port) as wire:
        answer = wire.get("/v2/demo/hello/blobs/uploads/", *fields, method=method)
    assert (answer.status, answer.fields["content-type"]) == (405, "application/json")
    assert json.loads(answer.body)["errors"][0]["code"] == "UNSUPPORTED"


def test_head_is_get_without_the_content(demo: Mirror, tree: Path) -> None:
    for artifact in lock_images(tree):
        repository, tag = site_repository(artifact["reference"])
        layer = artifact["manifests"][0]["layers"][0]["digest"]
        for path in (f"manifests/{tag}", f"blobs/{layer}", "tags/list", "manifests/absent"):
            got, head = (ask(demo, f"/v2/{repository}/{path}", method) for method in ("GET", "HEAD"))
            varying = ("date",)
            assert {name: value for name, value in head.fields.items() if name not in varying} == {
                name: value for name, value in got.fields.items() if name not in varying
            }
            assert (head.status, head.body) == (got.status, b"")


def test_who_takes_no_index_gets_the_primary_platform_s_manifest(demo: Mirror, tree: Path) -> None:
    (hello,) = [artifact for artifact in lock_images(tree) if "hello" in artifact["reference"]]
    wanted = {entry["platform"]: entry["manifest"]["digest"] for entry in hello["manifests"]}
    # three times each: what memory answers has to be what the client accepts
    for accept, digest in [(OCI_INDEX, hello["digest"]), (OCI_MANIFEST, wanted["linux/amd64"])] * 3:
        answer = ask(demo, "/v2/demo/hello/manifests/1.0", accept=accept)
        assert answer.fields["docker-content-digest"] == digest
        assert answer.fields["content-type"] == accept
        assert f"sha256:{hashlib.sha256(answer.body).hexdigest()}" == digest


def test_the_registry_s_own_port_answers_nothing_else(demo: Mirror) -> None:
    told = demo.said("/v2/  http://")
    port = int(told.partition("://")[2].partition("/")[0].rpartition(":")[2])
    for _ in range(2):
        assert ask(demo, "/docs/notes.txt").status == 200
        assert ask(demo, "/v2/_catalog", port=port).status == 200
        assert ask(demo, "/-/health", port=port).status == 200
        for path in ("/", "/docs/notes.txt", "/bundle.json", "/-/metrics", "/-/client/", "/-/assets/page.css"):
            assert ask(demo, path, port=port).status == 404


def test_a_mirror_may_be_a_registry_and_nothing_else(tree: Path) -> None:
    # without an HTTP port the program that starts it for the tests has no port to tell
    with mirror(tree, "--http", "off", "--registry", f"{LOOPBACK}:0") as running:
        port = int(running.said("/v2/  http://").partition("://")[2].partition("/")[0].rpartition(":")[2])
        assert "HTTP" not in running.announcement
        assert ask(running, "/v2/", port=port).body == b"{}"


def test_a_port_that_is_taken_names_the_flag(demo: Mirror, tree: Path) -> None:
    done = refused(tree, "--registry", f"{LOOPBACK}:{demo.port}")
    assert done.returncode == 8
    assert "--registry HOST:PORT" in done.stderr
    assert "[serve-port-taken]" in done.stderr


def test_a_cut_blob_is_resumed_by_its_range(app: Path, tmp_path: Path) -> None:
    layer = max((app / "k8simage" / "blobs" / "sha256").iterdir(), key=lambda path: path.stat().st_size)
    got = tmp_path / "layer"
    with mirror(app) as running, cutting_proxy(running.url.removeprefix("http://"), 200_000) as proxy:
        url = f"http://{proxy.host}/v2/demo/app/blobs/sha256:{layer.name}"
        cut = subprocess.run(["curl", "-sS", "-o", got, url], check=False, capture_output=True)
        assert cut.returncode == 18
        assert 0 < got.stat().st_size < layer.stat().st_size
        subprocess.run(["curl", "-fsS", "-C", "-", "-o", got, url], check=True)
        assert got.read_bytes() == layer.read_bytes()
        answer = ask(running, f"/v2/demo/app/blobs/sha256:{layer.name}", range="bytes=10-19")
        assert (answer.status, answer.body) == (206, layer.read_bytes()[10:20])
        beyond = ask(running, f"/v2/demo/app/blobs/sha256:{layer.name}", range="bytes=99999999-")
        assert (beyond.status, json.loads(beyond.body)["errors"][0]["code"]) == (416, "RANGE_INVALID")


@pytest.mark.parametrize("fault", ["missing", "changed"])
def test_a_blob_that_goes_is_told_and_turns_health_red(app: Path, fault: str) -> None:
    layer = max((app / "k8simage" / "blobs" / "sha256").iterdir(), key=lambda path: path.stat().st_size)
    path = f"/v2/demo/app/blobs/sha256:{layer.name}"
    with mirror(app) as running:
        assert ask(running, path, "HEAD").status == 200
        assert running.health()[0] == 200
        if fault == "missing":
            layer.unlink()
        else:
            data = bytearray(layer.read_bytes())
            data[1000] ^= 1
            layer.write_bytes(bytes(data))
        for _ in range(2):
            for method in ("GET", "HEAD"):
                answer = ask(running, path, method)
                assert answer.status == 500
        assert json.loads(ask(running, path).body)["errors"][0]["code"] == "UNKNOWN"
        running.told(layer.name)
        assert running.told_times(layer.name) == 1
        status, health = running.health()
        assert (status, health["complete"]) == (503, False)
        assert any(layer.name in told for told in health["faults"])
        # the rest of the image is there as before
        assert ask(running, "/v2/demo/app/manifests/1").status == 200


def test_a_blob_that_was_missing_from_the_start(app: Path) -> None:
    layer = max((app / "k8simage" / "blobs" / "sha256").iterdir(), key=lambda path: path.stat().st_size)
    layer.unlink()
    with mirror(app) as running:
        assert layer.name in running.announcement
        assert ask(running, f"/v2/demo/app/blobs/sha256:{layer.name}").status == 500
        assert running.health()[0] == 503


def test_the_current_bundle_goes_first_and_differences_are_told_once(tmp_path: Path) -> None:
    root = tmp_path / "opt"
    digests = {}
    for name in ("old", "new"):
        placed = place_images(
            tmp_path / name, {APP: (AMD64,), f"quay.io/demo/{name}:1": (AMD64,)}, content=name.encode()
        )
        placed.write_bundle(root / name, name)
        digests[name] = placed.digests[APP]
    tmp_path.chmod(0o755)
    (root / "current").symlink_to("old")
    with mirror(root, "--workers", "2") as running:
        assert running.announcement.count("demo/app:1 is one image in bundle ") == 1
        assert ask(running, "/v2/demo/app/manifests/1", "HEAD").fields["docker-content-digest"] == digests["old"]
        # what only the other one has is there as well, and by its digest so is what had to give way
        assert ask(running, "/v2/demo/new/manifests/1", "HEAD").status == 200
        assert ask(running, f"/v2/demo/app/manifests/{digests['new']}", "HEAD").status == 200
        assert running.health()[0] == 200
        (root / "next").symlink_to("new")
        os.replace(root / "next", root / "current")  # noqa: PTH105 - as `activate` does it
        running.signal(signal.SIGHUP)
        running.told("reloaded")
        assert running.told_times("demo/app:1 is one image in bundle ") == 1
        assert ask(running, "/v2/demo/app/manifests/1", "HEAD").fields["docker-content-digest"] == digests["new"]
        assert running.health()[0] == 200


def test_users_are_asked_for_in_the_spec_s_words(app: Path, tmp_path: Path) -> None:
    users = tmp_path / "htpasswd"
    users.write_bytes(subprocess.run(["htpasswd", "-Bbn", "edge", "s3cret"], capture_output=True, check=True).stdout)
    with mirror(app, "--users", str(users)) as running:
        answer = ask(running, "/v2/")
        assert answer.status == 401
        assert answer.fields["www-authenticate"].startswith('Basic realm="')
        assert json.loads(answer.body)["errors"][0]["code"] == "UNAUTHORIZED"
        there = image_at(running, "demo/app:1")
        assert b"UNAUTHORIZED" in skopeo("inspect", "--tls-verify=false", there, code=1).upper()
        skopeo("inspect", "--tls-verify=false", "--creds", "edge:s3cret", there)
