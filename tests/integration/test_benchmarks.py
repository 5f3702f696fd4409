"""The benchmarks run and judge; what they measure is not judged here, since a busy machine would decide."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from scripts.benchmarks.carry_sectors import measure_sectors

if TYPE_CHECKING:
    from tests.integration.ready_runtime import ReadyRuntime

pytestmark = pytest.mark.integration
ROOT = Path(__file__).parents[2]
_VENV = Path(sys.executable).parent


@pytest.mark.parametrize(
    ("name", "verdicts"), [("build", ["speed", "size", "memory"]), ("unpack", ["speed"])], ids=["build", "unpack"]
)
def test_a_benchmark_prints_both_sides_and_a_verdict(tmp_path: Path, name: str, verdicts: list[str]) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "scripts.benchmarks", name, "--size=12", "--rounds=1", f"--directory={tmp_path}"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert len(re.findall(r"^\| .+ \| \d+ MB/s \| \d+ to \d+ \| \d+ MiB \|$", done.stdout, flags=re.MULTILINE)) == 2
    judged = re.findall(
        r"^\| (\w+) \| -?[\d.]+(?:x| MiB| %) \| [<>]=? .+ \| (?:met|NOT met) \|$", done.stdout, re.MULTILINE
    )
    assert judged == verdicts
    assert list(tmp_path.iterdir()) == []


def test_the_carry_benchmark_prints_all_sides_and_a_verdict(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "scripts.benchmarks", "carry", "--size=12", "--parts-size=4", "--rounds=1"]
    command += ["--delta-size=24", f"--directory={tmp_path}", f"--parts-directory={tmp_path}"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert len(re.findall(r"^\| .+ \| \d+ MB/s \| \d+ to \d+ \| \d+ MiB \|$", done.stdout, flags=re.MULTILINE)) == 13
    judged = re.findall(r"^\| ([^|]+) \| [^|]+ \| [<>]=? .+ \| (?:met|NOT met) \|$", done.stdout, flags=re.MULTILINE)
    assert judged == [
        *("build", "verify"),
        *("split, by the peer's speed", "the code alone, on a core", "memory"),
        *("by the image's new blobs", "by the processor time of a full build", "memory"),
        *("patch and recipe, by the layer's size", "memory"),
    ]
    assert list(tmp_path.iterdir()) == []


def test_what_is_promised_of_bad_sectors_is_measured(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    measure_sectors(20_000_000, str(tmp_path), sectors=5)
    said = capsys.readouterr().out
    assert "| sets that were mended | 3 of 3 | all | met |" in said
    assert list(tmp_path.iterdir()) == []


def test_the_growth_benchmark_prints_a_row_for_each_command_with_its_exponent(tmp_path: Path) -> None:
    command = [
        sys.executable,
        "-m",
        "scripts.benchmarks",
        "growth",
        "--sizes=2,20,40",
        "--judged-from=20",
        "--images=2",
    ]
    done = subprocess.run([*command, f"--directory={tmp_path}"], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    row = r"^\| (\w+): ([^|]+) \| [\d.]+ s, \d+ MiB (?:\| [^|]+){2,3}\|"
    rows = re.findall(row, done.stdout, flags=re.MULTILINE)
    assert {side for side, _ in rows} == {"files", "images", "packages"}
    assert {"check", "build, cold", "verify TREE", "mirror, until ready"} <= {
        name for side, name in rows if side == "files"
    }
    assert re.search(r"^\| files: build, warm .+ \| -?[\d.]+(?:, NOT met)? \| \d+ MiB", done.stdout, flags=re.MULTILINE)
    assert list(tmp_path.iterdir()) == []


def test_the_manifest_of_kubeedge_is_built_from_an_upstream_that_has_all_that_it_names(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "scripts.benchmarks", "kubeedge", "--scale=0.001", f"--directory={tmp_path}"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert re.search(r"^archive \d+ MiB; unpacked \d+ MiB in \d{3} files$", done.stdout, re.MULTILINE)
    measured = re.findall(r"^\| (.+) \| [\d.]+ s \| [\d.]+ s \| \d+ MiB \|$", done.stdout, re.MULTILINE)
    assert measured == ["plan", "build, nothing there", "build, all in the store", "verify", "unpack"]
    assert list(tmp_path.iterdir()) == []


def test_the_rpm_benchmark_prints_both_rows_and_their_verdicts(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "scripts.benchmarks", "rpms", "--packages=20", "--rounds=1"]
    done = subprocess.run([*command, f"--directory={tmp_path}"], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    timed = re.findall(r"^\| (.+) \| [\d.]+ s \| [\d.]+ to [\d.]+ \| \d+ MiB \|$", done.stdout, flags=re.MULTILINE)
    assert {"bundler", "createrepo_c", "createrepo_c --no-database"} <= set(timed)
    assert len(timed) > 5
    judged = re.findall(r"^\| (speed|memory).* \| [<>]= .+ \| (?:met|NOT met) \|$", done.stdout, flags=re.MULTILINE)
    assert judged == ["speed", "speed", "speed", "memory"]
    assert list(tmp_path.iterdir()) == []


def test_the_serve_benchmark_prints_both_sides_and_their_verdicts(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "scripts.benchmarks", "serve", "--workers=1", "--rounds=1", "--seconds=1"]
    command += ["--size=1", "--files=20", "--held=40", f"--directory={tmp_path}"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    of_a_side = r" \| [\d.]+ \| [\d.]+ to [\d.]+ \| [\d.]+ (?:s/GB|us)"
    measured = re.findall(
        rf"^\| ((?:1 MiB|4 KiB) files, .+), (?:GB|thousand)/s(?:{of_a_side}){{2}} \|$", done.stdout, re.MULTILINE
    )
    verdict = r"^\| (.+) \| [\d.]+(?:x| MiB|x of before|) \| .+ \| (?:met|NOT met) \|$"
    judged = re.findall(verdict, done.stdout, re.MULTILINE)
    assert len(measured) == 9
    assert sum(", copying" in name for name in measured) == 3
    assert judged == [
        *measured, "40 open connections: held", "their memory", "4 KiB files beside them", "memory of a worker at rest",
    ]  # fmt: skip
    # every one of them, which no busy machine can change
    assert "| 40 open connections: held | 40 | 40 | met |" in done.stdout
    assert list(tmp_path.iterdir()) == []


def test_the_registry_benchmark_prints_both_sides_and_their_verdicts(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "scripts.benchmarks", "registry", "--rounds=1", "--seconds=1", "--size=1"]
    done = subprocess.run([*command, f"--directory={tmp_path}"], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    of_a_side = r" \| [\d.e+]+ \| [\d.e+]+ to [\d.e+]+ \| [\d.e+]+ (?:s/GB|us)"
    measured = re.findall(rf"^\| (.+), (?:GB|thousand)/s(?:{of_a_side}){{2}} \|$", done.stdout, re.MULTILINE)
    judged = re.findall(r"^\| (.+) \| [\d.e+]+x \| >= .+ \| (?:met|NOT met) \|$", done.stdout, re.MULTILINE)
    blobs = [f"1 MiB blobs, {who} {what}" for what in ("discarding", "copying") for who in ("1 client", "8 clients")]
    assert judged == measured == [*blobs, "manifest HEADs, 8 clients", "manifest HEADs, 64 clients"]
    assert list(tmp_path.iterdir()) == []


def test_the_framework_benchmark_prints_every_server_beside_nginx(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "scripts.benchmarks", "framework", "--framework", "http.server", "--rounds=1"]
    command += ["--seconds=1", "--size=1", "--files=20", f"--directory={tmp_path}"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    row = r"^\| (.+), (?:GB|thousand)/s \| (\S+) \| [\d.]+ \| [\d.]+ to [\d.]+ \| [\d.]+ (?:s/GB|us) \| [\d.]+x \|$"
    rows = ("1 MiB files, 1 connection", "1 MiB files, 8 connections", "4 KiB files, 64 connections")
    servers = ("mirror", "nginx", "http.server")
    assert re.findall(row, done.stdout, re.MULTILINE) == [(name, server) for name in rows for server in servers]
    assert list(tmp_path.iterdir()) == []


def test_a_framework_that_is_absent_is_named_with_the_line_that_installs_it(tmp_path: Path) -> None:
    without_packages = tmp_path / "python"
    without_packages.write_text(f'#!/bin/sh\nexec {sys.executable} -I -S "$@"\n')
    without_packages.chmod(0o755)
    command = [sys.executable, "-m", "scripts.benchmarks", "framework", f"--python={without_packages}"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert "pip install aiohttp" in done.stderr


def test_the_alternatives_are_compared_on_every_subject() -> None:
    command = [sys.executable, "-m", "scripts.benchmarks", "alternatives"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    counted = re.findall(r"^\| (\w+): .+ \| (\d+) \| (\d+) \| (\d+) \|$", done.stdout, re.MULTILINE)
    assert [subject for subject, *_ in counted] == ["tar", "tar", "RPM", "RPM", "OpenPGP", "Docker"]
    # ours refuses or reads every one; the process that reads an RPM package is never ended
    assert [ours for _, ours, _, of in counted if ours != of] == ["0"]


def test_the_start_benchmark_prints_every_program_and_its_verdict(tmp_path: Path, runtime: ReadyRuntime) -> None:
    command = [
        sys.executable,
        "-m",
        "scripts.benchmarks",
        "start",
        "--images=2",
        "--rounds=1",
        f"--directory={tmp_path}",
        f"--disk={tmp_path}",
    ]
    environment = {**os.environ, **runtime.environment}
    done = subprocess.run(command, capture_output=True, text=True, cwd=ROOT, env=environment, check=False)
    assert done.returncode == 0, done.stderr
    rows = [line.split("|")[1].strip() for line in done.stdout.splitlines() if line.count("|") == 5]
    assert rows[2:11] == [
        "python -c pass",
        "bundler --version",
        "mirror --version",
        "bundler push-images, all there",
        "skopeo sync, all there",
        "bin/bundler --version, warm",
        "the same in a virtual environment, warm",
        "bin/bundler --version, cold",
        "the same in a virtual environment, cold",
    ]
    assert len(re.findall(r"\| <= 1.3x \| (?:met|NOT met) \|", done.stdout)) == 2
    assert len(re.findall(r"\| <= \d+ ms \| (?:met|NOT met) \|", done.stdout)) == 3


def test_the_benchmark_beside_peers_leaves_out_what_is_not_installed_and_says_how_it_is(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "scripts.benchmarks", "peers", "--size=2", "--rounds=1", "--seconds=0.1"]
    command += ["--only", "fetch", "push", "blobs", f"--directory={tmp_path}"]
    # Go programs lie in the cache, which is empty, unless somebody has them on his path
    environment = {**os.environ, "XDG_CACHE_HOME": str(tmp_path / "cache"), "PATH": f"{_VENV}:/usr/sbin:/usr/bin:/bin"}
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    timed = re.findall(r"^\| (.+) \| (.+) \| [\d.]+ s \| .+ \| [\d.]+ s \| (?:[\d.]+x)? \|$", done.stdout, re.MULTILINE)
    assert timed == [
        ("12 images, cold", "bundler"), ("12 images, cold", "skopeo copy, one by one"),
        ("push, all there", "bundler"), ("push, all there", "skopeo sync"),
        ("push, one of 12 changed", "bundler"), ("push, one of 12 changed", "skopeo sync"),
    ]  # fmt: skip
    served = re.findall(
        r"^\| 1 MiB (\w+), (\d client\w* \w+) \| (\S+) \| .+ s/GB \| (?:[\d.]+x)? \|$", done.stdout, re.MULTILINE
    )
    clients = [f"{who} {what}" for what in ("discarding", "copying") for who in ("1 client", "8 clients")]
    servers: list[tuple[str, tuple[str, ...]]] = [
        ("blobs", ("mirror", "docker-registry")),
        ("files", ("mirror", "nginx", "http.server")),
    ]
    assert served == [(what, who, server) for what, names in servers for who in clients for server in names]
    left_out = re.findall(
        r"^left out, because (\w+) is not installed: GOBIN=\S+ go install \S+@v", done.stdout, re.MULTILINE
    )
    assert left_out == ["crane", "regctl", "regsync", "registry", "caddy"]
    assert list(tmp_path.iterdir()) == []


def test_a_cold_build_is_compared_with_what_somebody_does_by_hand(tmp_path: Path) -> None:
    tools = tmp_path / "tools"
    tools.mkdir()
    # as crane does: pulls every image into one OCI layout
    copy = "skopeo --insecure-policy copy -q --src-tls-verify=false docker://$1 oci:$OUT:$1"
    pull = f"shift 3; while [ $# -gt 1 ]; do {copy}; shift; done"
    (tools / "crane").write_text(f"#!/bin/sh\nfor OUT; do :; done\n{pull}\n")
    (tools / "crane").chmod(0o755)
    command = [sys.executable, "-m", "scripts.benchmarks", "peers", "--size=2", "--rounds=1", "--only", "build"]
    environment = {
        **os.environ,
        "XDG_CACHE_HOME": str(tmp_path / "cache"),
        "PATH": f"{tools}:{_VENV}:/usr/sbin:/usr/bin:/bin",
    }
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert re.findall(r"^\| cold build \| (.+?) \| [\d.]+ s", done.stdout, re.MULTILINE) == [
        "bundler", r"crane, curl, createrepo_c, sha256sum, tar \| pigz -6 -p2", "the same, tar alone",
    ]  # fmt: skip
