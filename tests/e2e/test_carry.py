"""A signed release crosses a gap in damaged parts, the next one a slow link; then back, and never in again.

What reads the stick runs on this machine, through a file system that cannot read some sectors; everything after that on
booted hosts without Python, by the tool that the bundle brings.
"""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pytest

from tests.hosts.stage import HostPlan, Stage, stage
from tests.integration.bad_medium import bad_medium
from tests.integration.demo_bundle import MANIFEST, demo_upstream
from tests.integration.mirror_program import eventually

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from tests.hosts.nspawn_host import NspawnHost
    from tests.integration.ready_runtime import ReadyRuntime

# hosts take memory: a module of each of two groups has them at a time, `hosts` and `site`
pytestmark = pytest.mark.xdist_group("hosts")
PART_BYTES = 4 * 1024 * 1024
POLICY = {"threshold": 2, "names": ["demo_*"]}
PEOPLE = ("alice", "bob", "carol")
FIRST, SECOND = "release-1.tar.gz", "release-2.tar.gz"
TOOL = "/root/tool/bin/bundler"
SLOW = "8mbit"
MAX_DELTA_BYTES = 2 * 1024 * 1024
PACKAGES = ("curl", "openssl")
LONG_S = 300


@dataclass(frozen=True, slots=True)
class Carried:
    """What leaves the machine that builds.

    Arguments:
        keys: a directory with everybody's keys.
        stick: the first release in parts with parity, signed by alice, and by bob afterwards.
        following: what the second release has more than the first, signed by bob and carol.
        tool: the commands and the runtime of the first one.
    """

    keys: Path
    stick: Path
    following: Path
    tool: Path


def bundler(*words: str | Path, code: int = 0) -> Any:
    """Run the tool on this machine, and return its answer."""
    done = subprocess.run(
        [sys.executable, "-m", "bundler", *words, "--json"], capture_output=True, text=True, check=False
    )
    assert done.returncode == code, done.stderr
    return json.loads(done.stdout)


def on_host(host: NspawnHost, *words: str, tool: str = TOOL, code: int = 0) -> Any:
    """Run the tool that was carried on a host, and return its answer."""
    done = host.run(tool, *words, "--json", timeout_s=LONG_S)
    assert done.code == code, f"{words}: {done.code}\n{done.stdout}{done.stderr}"
    return json.loads(done.stdout)


@pytest.fixture(scope="module")
def carried(tmp_path_factory: pytest.TempPathFactory, runtime: ReadyRuntime) -> Carried:
    """Two releases of the demo with a runtime, and whatever belongs to them."""
    directory = tmp_path_factory.mktemp("carried")
    made = Carried(directory / "keys", directory / "stick", directory / SECOND, directory / "tool")
    made.keys.mkdir()
    made.stick.mkdir()
    for name in PEOPLE:
        bundler("keygen", made.keys / name)
    keys = {name: made.keys / f"{name}.key" for name in PEOPLE}
    shutil.copy(runtime.lock, directory / "demo-1.lock.json")
    with demo_upstream() as address:
        in_parts: list[str | Path] = ["--split", "4MiB", "--parity", "25%", "--sign", keys["alice"]]
        _build(directory, "1", runtime, address, made.stick / FIRST, in_parts)
        shutil.copy(directory / "demo-1.lock.json", directory / "demo-2.lock.json")
        first = made.stick / f"{FIRST}.000"
        delta: list[str | Path] = ["--base", first, "--sign", keys["bob"], "--sign", keys["carol"]]
        _build(directory, "2", runtime, address, made.following, delta)
    bundler("sign", first, "--sign", keys["bob"])
    made.tool.mkdir()
    unpack = f"cat {FIRST}.[0-9]* | tar -zxf - -C {made.tool} bin runtime"
    subprocess.run(["sh", "-ec", unpack], cwd=made.stick, check=True)
    return made


def _build(
    directory: Path, release: str, runtime: ReadyRuntime, address: str, archive: Path, options: Sequence[str | Path]
) -> None:
    manifest = directory / f"demo-{release}.yaml"
    text = MANIFEST.read_text().replace('release: "1"', f'release: "{release}"') + runtime.entry
    if release != "1":
        (directory / "news.txt").write_text(f"what is new in release {release}\n")
        text = text.replace("files:\n", "files:\n  - {path: docs/news.txt, url: news.txt}\n", 1)
    manifest.write_text(text)
    common = ("--set", f"upstream={address}", "--store", runtime.store)
    bundler("lock", manifest, *common)
    bundler("build", manifest, *common, "-o", archive, *options)


@pytest.fixture(scope="module")
def site(carried: Carried) -> Iterator[Stage]:
    """A depot outside of the site, and the site's master, which trusts two of three people."""
    with stage(*(HostPlan(name, packages=PACKAGES) for name in ("depot", "master"))) as made:
        for host in made:
            host.power_on()
        for host in made:
            host.wait_until_up()
            assert host.run("sh", "-c", "command -v python3 python").stdout == ""
            host.copy_in(carried.tool, "/root/tool")
        master = made.hosts[1]
        for name in PEOPLE:
            master.copy_in(carried.keys / f"{name}.pem", f"/etc/bundler/trusted.d/{name}.pem")
        master.sh(f"printf %s '{json.dumps(POLICY)}' >/etc/bundler/trusted.d/policy.json")
        yield made


def test_a_release_crosses_the_gap_and_the_next_one_a_slow_link(site: Stage, carried: Carried, tmp_path: Path) -> None:
    depot, master = site.hosts
    first = bring_damaged_parts(master, carried, tmp_path)
    assert {key["name"] for key in first["signed_by"]} == {"alice", "bob"}
    assert json.loads(master.sh("cat /var/lib/kubeedge-bundler/seen.json"))["newest"]["demo_allinone"]["release"] == "1"
    assert "signed by" in master.sh("sh /opt/current/install.sh", timeout_s=LONG_S)
    second = bring_next_release(depot, master, carried)
    assert {key["name"] for key in second["signed_by"]} == {"bob", "carol"}
    assert master.sh("cat /opt/current/docs/news.txt") == "what is new in release 2\n"
    assert on_host(master, "verify", "/opt/current")["intact"]
    roll_back(master, first)
    refuse_older(master, first)


def bring_damaged_parts(master: NspawnHost, carried: Carried, scratch: Path) -> Any:
    """Read a stick that has lost a part and some sectors, mend what arrived, and unpack it; return that answer."""
    arrived, mount = scratch / "arrived", scratch / "stick"
    names = sorted(path.name for path in carried.stick.iterdir())
    lost, bad = f"{FIRST}.001", f"{FIRST}.002"
    sectors = [(70_000, 72_048), (1_000_000, 1_002_048)]
    shutil.copytree(carried.stick, arrived)
    (arrived / lost).unlink()
    with bad_medium(arrived, mount, bad={bad: sectors}):
        report = bundler("verify", mount, "--parts", code=5)
        assert bundler("unpack", mount, "-C", scratch / "nowhere", code=5)["id"] == "bundle-incomplete"
    found = {part["name"]: part for part in report["parts"] if part["state"] != "intact"}
    assert report["mendable"]
    assert {name: part["state"] for name, part in found.items()} == {lost: "missing", bad: "damaged"}
    assert (found[lost]["begin"], found[lost]["end"]) == (PART_BYTES, 2 * PART_BYTES)
    assert "bytes 65536 to 131071, bytes 983040 to 1048575" in found[bad]["what"]
    # what a rescue copy has where nothing could be read
    with (arrived / bad).open("r+b") as part:
        for begin, end in sectors:
            part.seek(begin)
            part.write(bytes(end - begin))
    master.copy_in(arrived, "/root/stick")
    mended = on_host(master, "repair", "/root/stick")["mended"]
    assert {file["name"] for file in mended} == {lost, bad}
    master.sh(f"cd /root/stick && sha256sum -c --quiet {FIRST}.parts.sha256")
    assert master.sh("ls /root/stick").split() == names
    return on_host(master, "unpack", "/root/stick", "--root", "/opt", "--activate")


def bring_next_release(depot: NspawnHost, master: NspawnHost, carried: Carried) -> Any:
    """Carry what is new in the next release over a slow link, and complete it; return that answer."""
    # the runtime alone is ten times as large
    assert carried.following.stat().st_size < MAX_DELTA_BYTES
    depot.copy_in(carried.following, f"/srv/{SECOND}")
    serve = "/root/tool/bin/mirror serve --root /srv --all-files --http 0.0.0.0:8088 --ftp off"
    depot.sh(f"{serve} >/dev/null 2>&1 & echo $! >/run/serving")
    url = f"http://depot:8088/{SECOND}"
    eventually(lambda: master.run("curl", "-fsSI", url).code == 0, "the depot answers")
    master.slow_cable(SLOW)
    master.sh(f"curl -fsS -o /root/{SECOND} {url}", timeout_s=LONG_S)
    assert master.held_back() > 0
    depot.sh("kill $(cat /run/serving)")
    return on_host(master, "unpack", f"/root/{SECOND}", "--root", "/opt", "--activate")


def roll_back(master: NspawnHost, first: Any) -> None:
    """Go back to the first release, which is still there."""
    name = first["directory"].rpartition("/")[2]
    on_host(master, "activate", name, "--root", "/opt")
    assert master.sh("readlink /opt/current").strip() == name
    assert master.run("test", "-e", "/opt/current/docs/news.txt").code == 1
    assert on_host(master, "verify", "/opt/current")["intact"]


def refuse_older(master: NspawnHost, first: Any) -> None:
    """Neither command brings the first release in again."""
    assert on_host(master, "unpack", "/root/stick", "-C", "/root/again", code=5)["id"] == "bundle-older"
    assert master.run("test", "-e", "/root/again").code == 1
    refused = master.run("sh", f"{first['directory']}/install.sh", timeout_s=LONG_S)
    assert refused.code == 5, refused.stdout + refused.stderr
    assert "bundle-older" in refused.stderr
