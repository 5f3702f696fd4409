"""scripts/demo does the main job, leaves nothing behind but its result, and what it says one can go on with is true."""

from __future__ import annotations

import socket
import subprocess
from typing import TYPE_CHECKING

import pytest

from tests.e2e.demo_run import ROOT, run_demo
from tests.integration.dnf_client import DnfClient
from tests.integration.docker_engine import docker_engine

if TYPE_CHECKING:
    from pathlib import Path

    from tests.e2e.demo_run import Demo

# the demo runs once, in one worker of a parallel run
pytestmark = pytest.mark.xdist_group("demo")
IMAGES = ("demo/hello:1.0", "demo/pause:3.5", "demo/greeter:2.1")


def test_bundle_is_whole_and_plain_tools_agree(demo: Demo) -> None:
    assert "files are what they should be" in demo.said
    subprocess.run(["sha256sum", "-c", "--quiet", "SHA256SUMS"], cwd=demo.unpacked, check=True)
    archive = demo.directory / "demo_allinone-1.tar.gz"
    subprocess.run(["sha256sum", "-c", "--quiet", f"{archive}.sha256"], cwd=demo.directory, check=True)
    program = demo.unpacked / "kubeedge" / "bin" / "keadm-amd64"
    assert program.stat().st_mode & 0o777 == 0o755
    assert (demo.unpacked / "kubeedge" / "crds" / "devices.yaml").is_file()


def test_nothing_is_left_beside_the_result(demo: Demo) -> None:
    assert not list((ROOT / "manifests").glob("demo.lock.json"))
    assert (demo.directory / "demo.lock.json").is_file()
    assert not (demo.directory / "address").exists()


def test_upstream_has_ended(demo: Demo) -> None:
    host, _, port = demo.upstream.partition(":")
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection((host, int(port)), timeout=5)


def test_a_folder_of_somebody_else_is_not_emptied(tmp_path: Path) -> None:
    kept = tmp_path / "kept"
    kept.write_text("mine")
    refused = run_demo(tmp_path, code=2)
    assert "name another directory" in refused.said
    assert kept.read_text() == "mine"


def test_dnf_installs_from_the_unpacked_repository(demo: Demo, tmp_path: Path) -> None:
    key = demo.unpacked / "yum" / "RPM-GPG-KEY-demo"
    client = DnfClient(tmp_path / "root", {"local": f"file://{demo.unpacked}/yum"}, key, arch="x86_64")
    assert client.install("demo-agent") == {
        "demo-agent-2.0-1.x86_64",
        "demo-common-2.1-1.noarch",
        "demo-tool-1.4-1.x86_64",
    }
    said = subprocess.run(
        [tmp_path / "root" / "usr" / "bin" / "demo-agent"], capture_output=True, check=True, text=True
    )
    assert said.stdout == "demo-agent 2.0 of the demo, x86_64\n"
    assert sorted(path.name for path in (demo.unpacked / "yum-aarch64").glob("*.rpm")) == [
        "demo-agent-2.0-1.aarch64.rpm",
        "demo-common-2.1-1.noarch.rpm",
        "demo-tool-1.4-1.aarch64.rpm",
    ]


def test_images_load_and_run_in_a_real_engine(demo: Demo, tmp_path: Path) -> None:
    with docker_engine(tmp_path / "engine") as engine:
        loaded = subprocess.run(
            ["sh", "load.sh"],
            cwd=demo.unpacked / "k8simage",
            env=engine.environment,
            capture_output=True,
            text=True,
            check=False,
        )
        assert loaded.returncode == 0, loaded.stdout + loaded.stderr
        for image in IMAGES:
            said = engine.docker("run", "--rm", "--network=none", f"{demo.upstream}/{image}")
            assert said == f"Hello from {image} on linux/amd64, carried in an offline bundle.\n"


def test_skopeo_reads_the_unpacked_images(demo: Demo) -> None:
    for image in IMAGES:
        subprocess.run(
            ["skopeo", "--insecure-policy", "inspect", f"oci:{demo.unpacked}/k8simage:{demo.upstream}/{image}"],
            capture_output=True,
            check=True,
        )
