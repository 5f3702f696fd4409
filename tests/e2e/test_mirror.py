"""The mirror on an air-gapped master, used by an edge node in another network namespace, with real clients."""

from __future__ import annotations

import hashlib
import json
import os
import re
import signal
import subprocess
import time
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pytest

from bundler.model.bundle import BundleIndex, IndexedFile, decode_index, encode_index, sums_text
from bundler.model.bundle_path import BundlePath
from bundler.model.digest import Blob, Digest
from tests.e2e.air_gap import AirGap, air_gap
from tests.e2e.mirror_on_master import PROGRAM, READY_WITHIN_S, mirror_on_master
from tests.integration.dnf_client import DnfClient

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.e2e.demo_run import Demo

pytestmark = pytest.mark.xdist_group("demo")
MIB = 1024 * 1024
BIG_BYTES = 1024 * MIB
BIG = "kubeedge/big.iso"
INSTALLED = {"demo-agent-2.0-1.x86_64", "demo-common-2.1-1.noarch", "demo-tool-1.4-1.x86_64"}


@dataclass(frozen=True, slots=True)
class Site:
    """A mirror that serves a tree on the master."""

    gap: AirGap
    tree: Path
    process: subprocess.Popen[str]
    log: Path

    def workers(self, protocol_user: str = "nobody") -> list[int]:
        """Return the pids of the worker processes."""
        command = ["ps", "--ppid", str(self.process.pid), "-o", "pid=", "-o", "user="]
        listed = subprocess.run(command, capture_output=True, text=True, check=False).stdout
        return [int(line.split()[0]) for line in listed.splitlines() if line.split()[1] == protocol_user]

    def metric(self, name: str) -> float:
        """Return one sample of the metrics."""
        text = self.gap.edge("curl", "-fsS", "http://master:8088/-/metrics")
        found = re.search(rf"^{re.escape(name)} (\S+)$", text, flags=re.MULTILINE)
        assert found is not None, text
        return float(found[1])


@pytest.fixture(scope="module")
def big_tree(demo: Demo, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The demo's unpacked bundle with a file of 1 GiB more, listed as everything else, and one that is not listed."""
    tree = tmp_path_factory.mktemp("opt") / "site"
    # the directories above are for root alone: the workers get the open directory, not its path
    tree.parent.chmod(0o700)
    subprocess.run(["cp", "-a", demo.unpacked, tree], check=True)
    block = os.urandom(MIB)
    digest = hashlib.sha256()
    with (tree / BIG).open("wb") as file:
        for number in range(BIG_BYTES // MIB):
            # no two parts are alike, so that a piece put in the wrong place shows
            part = number.to_bytes(8, "big") + block[8:]
            digest.update(part)
            file.write(part)
    index = decode_index((tree / "bundle.json").read_bytes(), where="demo")
    listed = IndexedFile(BundlePath(BIG), Blob(Digest("sha256", digest.hexdigest()), BIG_BYTES), 0o644, "files")
    files = tuple(sorted((*index.files, listed), key=lambda file: file.path.encode()))
    text = encode_index(BundleIndex(index.name, index.release, index.manifest, index.lock, index.platforms, files))
    (tree / "bundle.json").write_bytes(text)
    (tree / "SHA256SUMS").write_bytes(sums_text(files, text))
    (tree / "harbor.yml").write_text("harbor_admin_password: Harbor12345\n")
    return tree


@pytest.fixture(scope="module")
def gap() -> Iterator[AirGap]:
    with air_gap() as made:
        yield made


@contextmanager
def _mirror(gap: AirGap, tree: Path, scratch: Path, *options: str) -> Iterator[Site]:
    log = scratch / "mirror.log"
    with mirror_on_master(gap, tree, log, *options) as process:
        yield Site(gap, tree, process, log)


@pytest.fixture(scope="module")
def site(gap: AirGap, big_tree: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    with _mirror(gap, big_tree, tmp_path_factory.mktemp("mirror")) as running:
        yield running


def test_nothing_but_the_master_can_be_reached_from_the_edge(gap: AirGap) -> None:
    assert gap.edge("ip", "route").strip().startswith("198.51.100.0/24")
    gap.edge("curl", "-sS", "--max-time", "5", "http://192.0.2.1/", code=7)


@pytest.mark.parametrize("url", ["ftp://master/yum", "http://master:8088/yum"])
def test_dnf_installs_with_signatures_checked(site: Site, tmp_path: Path, url: str) -> None:
    key = tmp_path / "key"
    site.gap.edge("curl", "-fsS", "-o", key, f"{url}/RPM-GPG-KEY-demo")
    client = DnfClient(tmp_path / "root", {"master": url}, key, arch="x86_64", runner=site.gap.on_edge)
    assert client.install("demo-agent") == INSTALLED


def test_dnf_installs_by_the_repo_file_that_the_mirror_hands_out(site: Site, tmp_path: Path) -> None:
    names = site.gap.edge("curl", "-fsS", "http://master:8088/-/client/")
    found = re.findall(r"^(\S+\.repo)\s", names, flags=re.MULTILINE)
    assert len(found) >= 4, names
    for name in found:
        if "aarch64" in name:
            continue
        repo = tmp_path / name
        site.gap.edge("curl", "-fsS", "-o", repo, f"http://master:8088/-/client/{name}")
        assert "gpgcheck=1" in repo.read_text()
        root = tmp_path / f"root-{name}"
        site.gap.edge(
            "dnf", "-y", "--noplugins", f"--installroot={root}", "--releasever=8", "--forcearch=x86_64",
            f"--setopt=reposdir={repo.parent}", f"--config={_only(repo, tmp_path)}", "--setopt=tsflags=noscripts",
            "install", "demo-agent",
        )  # fmt: skip
        installed = subprocess.run(
            ["rpm", f"--root={root}", "-qa"], capture_output=True, text=True, check=True
        ).stdout.split()
        assert set(installed) >= INSTALLED


def _only(repo: Path, scratch: Path) -> Path:
    """Return a configuration that knows this one file, and no repository of this machine's."""
    directory = scratch / f"only-{repo.name}"
    directory.mkdir()
    config = directory / "dnf.conf"
    config.write_text(f"[main]\nvarsdir=/dev/null\ncachedir={directory}/cache\n" + repo.read_text())
    repo.rename(directory / repo.name)
    return config


@pytest.mark.parametrize("url", ["http://master:8088", "ftp://master"])
def test_an_interrupted_download_of_a_gibibyte_is_resumed(site: Site, tmp_path: Path, url: str) -> None:
    got = tmp_path / "big"
    # cut in the middle by the client's own limit on the size, however quick the line is
    cut = subprocess.Popen([*site.gap.on_edge, "curl", "-sS", "--limit-rate", "400M", "-o", got, f"{url}/{BIG}"])
    deadline = time.monotonic() + READY_WITHIN_S
    while not (got.exists() and got.stat().st_size > 50 * MIB):
        assert time.monotonic() < deadline
        assert cut.poll() is None
    cut.kill()
    cut.wait()
    assert 0 < got.stat().st_size < BIG_BYTES
    site.gap.edge("curl", "-fsS", "-C", "-", "-o", got, f"{url}/{BIG}")
    listed = (site.tree / "SHA256SUMS").read_text()
    expected = re.search(rf"^([0-9a-f]{{64}})  {re.escape(BIG)}$", listed, flags=re.MULTILINE)
    assert expected is not None
    with got.open("rb") as file:
        assert hashlib.file_digest(file, "sha256").hexdigest() == expected[1]


def test_what_the_bundle_does_not_list_is_refused_on_both(site: Site) -> None:
    assert (site.tree / "harbor.yml").exists()
    site.gap.edge("curl", "-fsS", "http://master:8088/harbor.yml", code=22)
    site.gap.edge("curl", "-fsS", "ftp://master/harbor.yml", code=78)
    assert "harbor" not in site.gap.edge("curl", "-fsS", "ftp://master/")
    assert "harbor" not in site.gap.edge("curl", "-fsS", "http://master:8088/")


def test_both_protocols_list_the_same_tree(site: Site, tmp_path: Path) -> None:
    for name, command in {
        "http": ("wget", "-q", "-r", "-np", "-nH", "-R", "index.html*", "-P", tmp_path / "http",
                 "http://master:8088/yum/"),
        "ftp": ("lftp", "-c", f"mirror ftp://master/yum {tmp_path / 'ftp' / 'yum'}"),
    }.items():  # fmt: skip
        site.gap.edge(*command)
        fetched = sorted(path.name for path in (tmp_path / name / "yum").rglob("*") if path.is_file())
        there = sorted(path.name for path in (site.tree / "yum").rglob("*") if path.is_file())
        assert fetched == there


def test_a_killed_worker_loses_no_new_connection(site: Site) -> None:
    url = "http://master:8088/docs/notes.txt"
    before = site.metric('mirror_requests_total{protocol="http",status="200"}')
    script = f"for i in $(seq 300); do curl -fsS -o /dev/null {url} || echo lost $i; done"
    loop = subprocess.Popen([*site.gap.on_edge, "sh", "-c", script], stdout=subprocess.PIPE, text=True)
    killed = 0
    while loop.poll() is None:
        workers = site.workers()
        if len(workers) == 4 and killed < 6:
            os.kill(workers[killed % 4], signal.SIGKILL)
            killed += 1
        time.sleep(0.05)
    assert killed == 6
    assert loop.stdout is not None
    lost = loop.stdout.read().split()
    # only a request that a killed worker was answering at that very moment may fail, or go uncounted
    assert len(lost) // 2 <= killed
    deadline = time.monotonic() + READY_WITHIN_S
    while len(site.workers()) < 4:
        assert time.monotonic() < deadline
    assert site.metric('mirror_requests_total{protocol="http",status="200"}') >= before + 300 - len(lost) // 2 - killed


def test_verify_passes_and_then_names_the_one_byte(gap: AirGap, demo: Demo, tmp_path: Path) -> None:
    tree = tmp_path / "opt"
    subprocess.run(["cp", "-a", demo.unpacked, tree], check=True)
    # the other mirror of this module has the usual ports
    urls = ("http://master:8089/", "ftp://master:2121/")
    ports = ("--http", "*:8089", "--ftp", "*:2121", "--passive-ports", "22100-22199")
    with _mirror(gap, tree, tmp_path, *ports) as site:
        said = json.loads(gap.edge(PROGRAM, "verify", *urls, "--root", tree, "--json"))
        assert said["schema"] == "mirror.verify/1"
        changed = tree / "kubeedge" / "bin" / "keadm-amd64"
        data = bytearray(changed.read_bytes())
        data[7] ^= 1
        changed.write_bytes(bytes(data))
        told = gap.edge(PROGRAM, "verify", *urls, code=5)
        assert "kubeedge/bin/keadm-amd64" in told
        assert "[mirror-differs]" in told
        health = json.loads(gap.edge("curl", "-sS", f"{urls[0]}-/health"))
        assert health["complete"] is False
        assert "kubeedge/bin/keadm-amd64" in site.log.read_text()
