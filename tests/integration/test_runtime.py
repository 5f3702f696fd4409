"""A bundle with a runtime, built with a real CPython and real packages, on a host that has no Python."""

from __future__ import annotations

import hashlib
import json
import subprocess
import sys
import urllib.request
from typing import TYPE_CHECKING

import pytest

from bundler.cli import bundler
from bundler.model.image.oci import DOCKER_INDEX
from mirror.cli import mirror
from tests.integration import linux_3_10
from tests.integration.bare_root import PATH, BareRoot, make_bare_root
from tests.integration.mirror_program import LOOPBACK
from tests.integration.mirror_program import mirror as running_mirror
from tests.integration.placed_images import AMD64, ARM64, place_images
from tests.integration.portable_python import VERSION, portable_python
from tests.integration.registries import plain_registry

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.integration.mirror_program import Mirror

# one worker of a parallel run builds the bundle for all of these
pytestmark = pytest.mark.xdist_group("runtime")
MANIFEST = "{version: 1, name: site, platforms: [linux/amd64], runtime: [{python: {url: p.tar.gz, sha256: SUM}}]}\n"
SERVE = ("serve", "--http", f"{LOOPBACK}:0", "--ftp", f"{LOOPBACK}:0", "--workers", "1")
MAX_ARCHIVE_BYTES = 40 * 1024 * 1024
NO_FILES_OF_A_RUNTIME = (
    *("bundle.json", "SHA256SUMS", "manifest.yaml", "lock.json"),
    *("install.sh", "bin/bundler", "bin/mirror"),
)
# where the bundle lies: with a blank in its path
PLACE = "/opt/my bundle"


@pytest.fixture(scope="module")
def build(tmp_path_factory: pytest.TempPathFactory, pytestconfig: pytest.Config) -> Path:
    """A directory with `site.yaml`, its lock, its store and its archive."""
    directory = tmp_path_factory.mktemp("build")
    archive = portable_python(pytestconfig.cache.mkdir("portable-python"))
    (directory / "p.tar.gz").symlink_to(archive)
    digest = hashlib.sha256(archive.read_bytes()).hexdigest()
    (directory / "site.yaml").write_text(MANIFEST.replace("SUM", digest))
    _bundler(directory, "build", "site.yaml", "--store", "store")
    return directory


@pytest.fixture(scope="module")
def host(build: Path, tmp_path_factory: pytest.TempPathFactory) -> BareRoot:
    """A host on which busybox has unpacked the bundle."""
    root = make_bare_root(tmp_path_factory.mktemp("host"))
    (root.path / PLACE[1:]).mkdir()
    (root.path / "site.tar.gz").hardlink_to(build / "site.tar.gz")
    unpacked = root.run("tar", "-xzf", "/site.tar.gz", "-C", PLACE)
    assert unpacked.returncode == 0, unpacked.stderr
    return root


@pytest.fixture(autouse=True)
def _nothing_is_written(host: BareRoot) -> Iterator[None]:
    """Whatever runs on the host leaves the bundle as it was, byte-code included."""
    before = _state(host.path / "opt")
    yield
    assert _state(host.path / "opt") == before


def _state(directory: Path) -> dict[str, tuple[int, int]]:
    statuses = {str(path): path.lstat() for path in sorted(directory.rglob("*"))}
    return {name: (status.st_mtime_ns, status.st_size) for name, status in statuses.items()}


def _bundler(directory: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "bundler", *arguments]
    done = subprocess.run(command, cwd=directory, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done


def _version(program: str) -> str:
    return f"{program}, version 0.1.0\n"


@pytest.mark.parametrize("program", ["bundler", "mirror"])
def test_it_runs_where_there_is_no_python(host: BareRoot, program: str) -> None:
    done = host.run(f"{PLACE}/bin/{program}", "--version")

    assert (done.stdout, done.stderr, done.returncode) == (_version(program), "", 0)


@pytest.mark.parametrize("user", [0, 65534])
@pytest.mark.parametrize("locale", ["C", "zh_CN.UTF-8", "xx_YY.nonsense", ""])
def test_no_environment_reaches_it(host: BareRoot, user: int, locale: str) -> None:
    hostile = {"PYTHONPATH": "/hostile", "PYTHONHOME": "/hostile", "PYTHONSTARTUP": "/hostile/click.py", "LANG": locale}
    (host.path / "hostile").mkdir(exist_ok=True)
    for name in ("click", "bundler", "sitecustomize", "encodings"):
        (host.path / "hostile" / f"{name}.py").write_text("raise SystemExit('hostile code ran')\n")
    inside = f"cd /hostile && CDPATH=/:/hostile exec '{PLACE}/bin/bundler' --version"

    done = host.run("sh", "-c", inside, environment={**PATH, **hostile}, user=user, umask=0o077)

    assert (done.stdout, done.stderr) == (_version("bundler"), "")


@pytest.mark.parametrize(
    "call",
    [
        "cd '/opt/my bundle' && bin/bundler --version",
        "cd '/opt/my bundle/bin' && ./bundler --version",
        "cd '/opt/my bundle/bin' && sh bundler --version",
        "ln -s '/opt/my bundle/bin/bundler' /tmp/absolute && /tmp/absolute --version",
        "cd /tmp && ln -s '../opt/my bundle/bin/bundler' relative && ln -s relative again && ./again --version",
        "ln -s '/opt/my bundle' /tmp/directory && PATH=$PATH:/tmp/directory/bin && bundler --version",
        "mkdir /tmp/x && ln -s '/opt/my bundle/bin/bundler' /tmp/x/bundler && PATH=$PATH:/tmp/x bundler --version",
        "cd / && PATH= '/opt/my bundle/bin/bundler' --version",
    ],
)
def test_it_is_found_however_it_is_called(host: BareRoot, call: str) -> None:
    done = host.run("/bin/sh", "-c", call)

    assert (done.stdout, done.stderr) == (_version("bundler"), "")


def test_it_runs_from_read_only_media(host: BareRoot) -> None:
    place = host.path / PLACE[1:]
    subprocess.run(["mount", "--bind", place, place], check=True)
    try:
        subprocess.run(["mount", "-o", "remount,bind,ro", place], check=True)
        assert host.run(f"{PLACE}/bin/bundler", "--version").stdout == _version("bundler")
        subprocess.run(["mount", "-o", "remount,bind,ro,noexec", place], check=True)
        refused = host.run("sh", f"{PLACE}/bin/bundler", "--version")
    finally:
        subprocess.run(["umount", place], check=True)
    assert refused.returncode == 10
    assert "noexec" in refused.stderr


def test_what_needs_nothing_else_works_there(host: BareRoot) -> None:
    verified = host.run(f"{PLACE}/bin/bundler", "verify", PLACE)

    assert verified.returncode == 0, verified.stderr
    shown = host.run(f"{PLACE}/bin/bundler", "verify", "--help")
    assert shown.stdout.startswith("Usage: bundler verify ")


def test_it_installs_itself_there(host: BareRoot) -> None:
    assert not (host.path / "dev").exists()
    script = f"{PLACE}/install.sh"
    planned = host.run("sh", script, "--plan", "--prefix", "/usr/local", "--mirror")
    assert (planned.returncode, planned.stderr) == (0, "")
    assert planned.stdout.count("df does not tell how much is free, for /") == 3
    assert f"to do: '{PLACE}/bin/mirror' service install -- --root '{PLACE}'\n" in planned.stdout
    assert not (host.path / "usr").exists()
    installed = host.run("sh", script, "--prefix", "/usr/local")
    assert (installed.returncode, installed.stderr) == (0, "")
    assert "all intact\nbundler, version 0.1.0 runs on this host\n" in installed.stdout
    assert host.run("/usr/local/bin/bundler", "--version").stdout == _version("bundler")
    removed = host.run("sh", script, "--uninstall", "--prefix", "/usr/local")
    assert (removed.returncode, removed.stderr) == (0, "")
    assert list((host.path / "usr/local/bin").iterdir()) == []


def test_the_mirror_serves_there(host: BareRoot) -> None:
    command = ["/usr/sbin/chroot", str(host.path), f"{PLACE}/bin/mirror", *SERVE, "--root", PLACE]
    with running_mirror(host.path, started_as=command) as it:
        assert _served(it) == (host.path / PLACE[1:] / "bin" / "mirror").read_bytes()


def test_images_are_pushed_from_there(host: BareRoot, tmp_path: Path) -> None:
    places = ("proc", "sys", "dev/shm")
    assert not [place for place in places if (host.path / place).exists()]
    made = place_images(tmp_path / "made", {"docker.io/demo/app:1": (AMD64, ARM64)})
    made.write_bundle(host.path / "images")
    push = [f"{PLACE}/bin/bundler", "push-images", "--root", "/images", "--via", "registry", "--json"]
    with plain_registry(tmp_path / "registry") as registry:
        outcomes = []
        for _ in range(2):
            done = host.run(*push, "--registry", registry.host)
            assert done.returncode == 0, done.stderr
            outcomes += [image["outcome"] for image in json.loads(done.stdout)["images"]]
        assert outcomes == ["pushed", "present"]
        url = f"http://{registry.host}/v2/demo/app/manifests/1"
        accepted = {"Accept": f"{DOCKER_INDEX}, application/vnd.oci.image.index.v1+json"}
        with urllib.request.urlopen(urllib.request.Request(url, headers=accepted)) as answer:
            assert answer.headers["Docker-Content-Digest"] == made.digests["docker.io/demo/app:1"]


def test_nothing_needs_a_newer_kernel_than_that_of_centos_7(host: BareRoot, build: Path, tmp_path: Path) -> None:
    place = host.path / PLACE[1:]
    old_kernel = [sys.executable, linux_3_10.__file__]
    bundler = [*old_kernel, str(place / "bin" / "bundler")]

    newer = [*old_kernel, sys.executable, "-c", "import os; os.memfd_create('x')"]
    assert b"Function not implemented" in subprocess.run(newer, capture_output=True, check=False).stderr
    subprocess.run([*bundler, "verify", str(place)], check=True, capture_output=True)
    unpack = [*bundler, "unpack", str(build / "site.tar.gz"), "-C", str(tmp_path / "there")]
    subprocess.run(unpack, check=True, capture_output=True)
    command = [*old_kernel, str(place / "bin" / "mirror"), *SERVE, "--root", str(place)]
    with running_mirror(place, started_as=command) as it:
        assert _served(it) == (place / "bin" / "mirror").read_bytes()


def _served(running: Mirror) -> bytes:
    """Return what the mirror gives for a file, which is the same over HTTP and FTP."""
    answers = []
    for url in (f"{running.url}/bin/mirror", f"ftp://{LOOPBACK}:{running.ftp_port}/bin/mirror"):
        with urllib.request.urlopen(url) as answer:
            answers.append(answer.read())
    assert answers[0] == answers[1]
    return bytes(answers[0])


def test_every_command_of_the_target_loads_without_what_only_builds(host: BareRoot) -> None:
    commands = [("bundler", name) for name in bundler.list_commands(None)]  # type: ignore[arg-type]
    commands += [("mirror", name) for name in mirror.list_commands(None)]  # type: ignore[arg-type]
    asked = {(program, name): host.run(f"{PLACE}/bin/{program}", name, "--help") for program, name in commands}

    assert {command: done.stderr for command, done in asked.items() if done.returncode != 0} == {}
    assert len(asked) > 10


def test_only_what_a_site_needs_is_in_it(host: BareRoot) -> None:
    runtime = host.path / PLACE[1:] / "runtime" / "x86_64"
    parts = {part for path in runtime.rglob("*") for part in path.relative_to(runtime).parts}

    assert parts.isdisjoint({"solv", "createrepo_c", "rpm_rs", "pip", "ensurepip", "tkinter", "test", "tests"})
    assert {"click", "requests", "docker", "tqdm", "pyftpdlib", "yaml", "deflate", "bundler", "mirror"} <= parts
    modules = list(runtime.rglob("*.py"))
    compiled = list(runtime.rglob("*.pyc"))
    assert len(compiled) == len(modules)
    # unchecked by hash: PEP 552, the flags behind the magic number
    assert {path.read_bytes()[4:8] for path in compiled} == {b"\x01\0\0\0"}


def test_it_is_small_and_says_how_large_it_is(build: Path) -> None:
    assert (build / "site.tar.gz").stat().st_size <= MAX_ARCHIVE_BYTES

    inspected = json.loads(_bundler(build, "inspect", "site.tar.gz", "--json").stdout)
    planned = json.loads(_bundler(build, "plan", "site.yaml", "--store", "store", "--json").stdout)
    files = inspected["files"] - len(
        ("bundle.json", "SHA256SUMS", "manifest.yaml", "lock.json", "install.sh", "bundler", "mirror")
    )

    [size, libraries] = inspected["artifacts"][0]["remarks"]
    assert size.startswith(f"CPython {VERSION}, {files:,} files, ")
    assert libraries == "needs of the host: libbz2.so.1, libuuid.so.1"
    assert planned["remarks"] == [f"runtime/x86_64: {size}", f"runtime/x86_64: {libraries}"]


def test_the_same_lock_gives_the_same_bytes_from_an_empty_store(build: Path) -> None:
    _bundler(build, "build", "site.yaml", "--store", "other", "-o", "again.tar.gz")

    assert (build / "again.tar.gz").read_bytes() == (build / "site.tar.gz").read_bytes()


def test_a_machine_without_a_runtime_is_told_so(host: BareRoot) -> None:
    done = host.run(f"{PLACE}/bin/bundler", "--version", before=("setarch", "i686"))

    assert (done.stderr, done.returncode) == (
        "bundler: no runtime for i686 in this bundle, which has runtime/x86_64\n",
        10,
    )


def test_a_system_without_glibc_is_told_so(host: BareRoot, tmp_path: Path) -> None:
    other = make_bare_root(tmp_path / "musl", glibc=False)
    (other.path / "opt" / "bundle").mkdir()
    place = other.path / "opt" / "bundle"
    subprocess.run(["mount", "--bind", host.path / PLACE[1:], place], check=True)
    try:
        done = other.run("/opt/bundle/bin/bundler", "--version")
    finally:
        subprocess.run(["umount", place], check=True)

    assert done.returncode == 10
    assert "glibc 2.17" in done.stderr
