"""Deltas by the real commands: images of a registry, a slow link, kills, a full disk, signatures, parts and parity."""

from __future__ import annotations

import json
import os
import random
import subprocess
import sys
import tarfile
import time
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from tests.e2e.air_gap import MASTER, AirGap, air_gap
from tests.integration.demo_bundle import MANIFEST, demo_upstream
from tests.integration.images import make_image
from tests.integration.json_answers import BUNDLER, WITHIN_S, bundler
from tests.integration.mirror_program import eventually, mirror
from tests.integration.registries import plain_registry
from tests.unit.archive.bundles import files_below
from tests.unit.trust.signers import written

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from tests.integration.registries import Registry

pytestmark = pytest.mark.integration
KILLS = int(os.environ.get("KILLS", "8"))
RANDOM = random.Random()
IMAGES = 6
FILLER_BYTES = 1_000_000
OWN = random.Random(3).randbytes(400_000)
OWN_NAMES = {"bundle.json", "SHA256SUMS"}
# bytes in a second
LINK_RATE = "8mbit"


def build(directory: Path, manifest: str, out: str, *options: str) -> dict[str, Any]:
    return bundler(directory, "build", f"{manifest}.yaml", "--store", "store", "-o", f"{out}.tar.gz", *options)


def _fill(registry: Registry, layout: Path, name: str, own: bytes) -> None:
    make_image(layout, name, files={"usr/bin/app": own}, filler_bytes=FILLER_BYTES, filler=name.partition(":")[0])
    registry.fill(layout, name, name)


def _manifest(directory: Path, registry: Registry, release: str, tags: dict[int, str]) -> None:
    lines = ["version: 1", "name: site", f'release: "{release}"', "images:"]
    lines += [f"  - {registry.host}/demo/app{number}:{tags.get(number, '1')}" for number in range(IMAGES)]
    (directory / f"site-{release}.yaml").write_text("\n".join(lines) + "\n")


@pytest.fixture(scope="module")
def works(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A directory with old.tar.gz, new.tar.gz, and delta.tar.gz between them: one of six images has changed."""
    directory = tmp_path_factory.mktemp("works")
    with plain_registry(directory / "registry") as registry:
        for number in range(IMAGES):
            _fill(registry, directory / "layout", f"demo/app{number}:1", OWN + b"%d" % number)
        _fill(registry, directory / "layout", "demo/app2:2", OWN[:1000] + b"mended" + OWN[1000:])
        for release, tags in (("1", {}), ("2", {2: "2"})):
            _manifest(directory, registry, release, tags)
            build(directory, f"site-{release}", {"1": "old", "2": "new"}[release])
        cold = ("build", "site-2.yaml", "--store", "cold", "-o", "cold.tar.gz", "--base", "old.tar.gz")
        (directory / "cold.json").write_text(json.dumps(bundler(directory, *cold)))
    build(directory, "site-2", "delta", "--base", "old.tar.gz")
    return directory


def test_a_store_that_has_nothing_gets_what_is_new_and_what_placing_reads(works: Path) -> None:
    fetched = json.loads((works / "cold.json").read_text())["fetched_bytes"]
    # documents of all images, and the layer that has changed
    assert len(OWN) < fetched < 1.1 * len(OWN)
    assert not any(path.stat().st_size > 2 * len(OWN) for path in (works / "cold" / "sha256").glob("*/*"))
    # what patches are made against was read in the base
    assert (works / "cold.tar.gz").read_bytes() == (works / "delta.tar.gz").read_bytes()


def test_one_image_of_several_is_carried_as_patches_of_its_layers(works: Path, tmp_path: Path) -> None:
    delta, full = ((works / f"{name}.tar.gz").stat().st_size for name in ("delta", "new"))
    assert delta < full / 50
    verified = bundler(works, "verify", "delta.tar.gz")
    [share] = verified["left_to_bases"]
    assert share["files"] > IMAGES
    bundler(tmp_path, "unpack", str(works / "old.tar.gz"), "--root", "root", "--activate")
    tree = Path(bundler(tmp_path, "unpack", str(works / "delta.tar.gz"), "--root", "root", "--activate")["directory"])
    whole = Path(bundler(tmp_path, "unpack", str(works / "new.tar.gz"), "--root", "whole")["directory"])
    assert _content(tree) == _content(whole)
    assert bundler(tmp_path, "verify", str(tree), "--strict")["intact"]
    # as skopeo reads it
    layout = f"oci:{tree}/k8simage:127.0.0.1"
    names = json.loads((tree / "k8simage/index.json").read_bytes())["manifests"]
    name = names[0]["annotations"]["org.opencontainers.image.ref.name"]
    shown = subprocess.run(
        ["skopeo", "inspect", "--raw", layout.replace("127.0.0.1", name)], capture_output=True, check=True, cwd=tmp_path
    )
    assert json.loads(shown.stdout)["schemaVersion"] == 2
    before = bundler(tmp_path, "bundles", "--root", "root")["bundles"]
    old = next(entry["directory"] for entry in before if not entry["active"])
    assert bundler(tmp_path, "activate", old, "--root", "root")["active"] == old


def _content(tree: Path) -> dict[str, bytes]:
    return {path: data for path, data in files_below(tree).items() if path not in OWN_NAMES}


def test_bases_of_every_form_give_the_same_archive_but_for_their_names(works: Path, tmp_path: Path) -> None:
    tree = bundler(tmp_path, "unpack", str(works / "old.tar.gz"), "--root", "root")["directory"]
    build(works, "site-2", "by-tree", "--base", str(tmp_path / tree))
    assert (works / "by-tree.tar.gz").read_bytes() == (works / "delta.tar.gz").read_bytes()
    planned = bundler(works, "plan", "site-2.yaml", "--store", "store", "--base", "old.tar.gz")
    [share] = planned["shares"]
    assert share["kind"] == "images"
    assert share["left_bytes"] > 5 * share["carried_bytes"]
    locked = build(works, "site-2", "by-lock", "--base", "site-1.lock.json")
    assert locked["bases"] == [{"lock": f"sha256:{_sha256(works / 'site-1.lock.json')}"}]
    bundler(tmp_path, "unpack", str(works / "by-lock.tar.gz"), "--root", "root")


def _sha256(path: Path) -> str:
    return subprocess.run(["sha256sum", path], capture_output=True, text=True, check=True).stdout.split()[0]


def test_a_merged_delta_is_the_full_archive(works: Path, tmp_path: Path) -> None:
    bundler(tmp_path, "merge", str(works / "old.tar.gz"), str(works / "delta.tar.gz"), "-o", "merged.tar.gz")
    assert (tmp_path / "merged.tar.gz").read_bytes() == (works / "new.tar.gz").read_bytes()


def test_packages_and_their_repository_are_left_out_where_they_stayed_the_same(tmp_path: Path) -> None:
    text = MANIFEST.read_text()
    with demo_upstream() as address:
        for name, manifest in (("old", text), ("new", text.replace('release: "1"', 'release: "next"'))):
            (tmp_path / f"{name}.yaml").write_text(manifest)
            build(tmp_path, name, name, "--set", f"upstream={address}")
        delta = build(tmp_path, "new", "delta", "--set", f"upstream={address}", "--base", "old.tar.gz")
    with tarfile.open(tmp_path / "delta.tar.gz") as archive:
        carried = {member.name for member in archive if member.isfile()}
    assert carried == {*OWN_NAMES, "manifest.yaml", "lock.json"}
    assert delta["left_out"] == delta["files"] - len(carried)
    bundler(tmp_path, "unpack", "old.tar.gz", "--root", "root")
    tree = bundler(tmp_path, "unpack", "delta.tar.gz", "--root", "root")["directory"]
    assert bundler(tmp_path, "verify", tree, "--strict")["intact"]
    bundler(tmp_path, "merge", "old.tar.gz", "delta.tar.gz", "-o", "merged.tar.gz")
    assert (tmp_path / "merged.tar.gz").read_bytes() == (tmp_path / "new.tar.gz").read_bytes()


def test_a_bill_of_materials_is_that_of_the_whole_bundle(works: Path, tmp_path: Path) -> None:
    build(works, "site-2", "full-bill", "--sbom")
    build(works, "site-2", "delta-bill", "--sbom", "--base", "old.tar.gz")
    bundler(works, "merge", "old.tar.gz", "delta-bill.tar.gz", "-o", str(tmp_path / "merged.tar.gz"))
    assert (tmp_path / "merged.tar.gz").read_bytes() == (works / "full-bill.tar.gz").read_bytes()


def test_signatures_are_not_counted_among_the_files_of_a_bundle(works: Path, tmp_path: Path) -> None:
    private, public = written(tmp_path, "alice")
    plain, signed = build(works, "site-2", "plain"), build(works, "site-2", "signed", "--sign", str(private))
    verified = bundler(works, "verify", "signed.tar.gz", "--key", str(public))
    counts = [(made["files"], made["content_bytes"]) for made in (plain, signed)]
    assert counts == [(verified["files"], counts[0][1])] * 2


def test_signed_split_and_with_parity_at_once_and_a_policy_on_the_host(works: Path, tmp_path: Path) -> None:
    private, public = written(tmp_path, "alice")
    build(
        works,
        "site-2",
        "carried",
        *("--base", "old.tar.gz", "--sign", str(private), "--split", "64KiB", "--parity", "50%", "--no-patches"),
    )
    stick = tmp_path / "stick"
    stick.mkdir()
    for path in works.glob("carried.tar.gz*"):
        path.rename(stick / path.name)
    bundler(tmp_path, "unpack", str(works / "old.tar.gz"), "--root", "root")
    (stick / "carried.tar.gz.001").unlink()
    lost = bundler(tmp_path, "unpack", "stick", "--root", "root", "--key", str(public), code=5)
    assert lost["id"] == "bundle-incomplete"
    bundler(tmp_path, "repair", "stick")
    unsigned = bundler(tmp_path, "unpack", str(works / "delta.tar.gz"), "--root", "root", "--key", str(public), code=5)
    assert unsigned["id"] == "signature-missing"
    answer = bundler(tmp_path, "unpack", "stick", "--root", "root", "--key", str(public))
    verified = bundler(tmp_path, "verify", answer["directory"], "--key", str(public), "--strict")
    assert [who["key"] for who in verified["signed_by"]] == [who["key"] for who in answer["signed_by"]] != []
    signed = bundler(
        tmp_path,
        "merge",
        str(works / "old.tar.gz"),
        "stick",
        "-o",
        "m.tar.gz",
        "--sign",
        str(private),
        "--key",
        str(public),
    )
    assert bundler(tmp_path, "verify", "m.tar.gz", "--key", str(public))["bundle"] == signed["bundle"]


def test_a_mirror_gives_a_completed_tree_whole(works: Path, tmp_path: Path) -> None:
    bundler(tmp_path, "unpack", str(works / "old.tar.gz"), "--root", "root")
    tree = bundler(tmp_path, "unpack", str(works / "delta.tar.gz"), "--root", "root")["directory"]
    with mirror(tmp_path / tree) as running:
        answer = bundler(tmp_path, "unpack", running.url, "-C", "second")
        assert bundler(tmp_path, "verify", running.url)["intact"]
    assert _content(tmp_path / answer["directory"]) == _content(tmp_path / tree)


def test_a_delta_is_described_as_a_full_archive_is(works: Path) -> None:
    ours, theirs = (bundler(works, "inspect", f"{name}.tar.gz") for name in ("delta", "new"))
    assert ours["artifacts"] == theirs["artifacts"]
    assert len(ours["left_to_bases"]) == 1
    assert bundler(works, "diff", "new.tar.gz", "delta.tar.gz")["changes"] == []
    for words in (("sbom", "delta.tar.gz", "-o", "delta.cdx.json"), ("report", "delta.tar.gz", "-o", "delta.html")):
        subprocess.run([BUNDLER, *words], cwd=works, check=True, capture_output=True, timeout=WITHIN_S)
    bill = json.loads((works / "delta.cdx.json").read_bytes())
    assert "is left to the delta's base" in json.dumps(bill)
    assert "未整个携带" in (works / "delta.html").read_text()


def test_a_truncated_delta_leaves_nothing(works: Path, tmp_path: Path) -> None:
    bundler(tmp_path, "unpack", str(works / "old.tar.gz"), "--root", "root")
    there = files_below(tmp_path / "root")
    data = (works / "delta.tar.gz").read_bytes()
    for size in (len(data) // 2, len(data) - 100):
        (tmp_path / "cut.tar.gz").write_bytes(data[:size])
        assert bundler(tmp_path, "unpack", "cut.tar.gz", "--root", "root", code=5)["id"] == "bundle-damaged"
        assert files_below(tmp_path / "root") == there


def test_what_plain_tar_leaves_of_a_delta_is_named(works: Path, tmp_path: Path) -> None:
    (tmp_path / "opt").mkdir()
    subprocess.run(["tar", "-xzf", works / "delta.tar.gz", "-C", tmp_path / "opt"], check=True)
    answer = bundler(tmp_path, "verify", "opt", code=5)
    assert answer["error"]["id"] == "base-missing"
    done = subprocess.run([BUNDLER, "verify", "opt"], cwd=tmp_path, capture_output=True, text=True, check=False)
    assert f"a delta without its base: {len(answer['missing'])} files are missing" in done.stdout
    assert "missing: " not in done.stdout
    refused = bundler(tmp_path, "unpack", str(works / "delta.tar.gz"), "-C", "elsewhere", code=5)
    assert (refused["id"], (tmp_path / "elsewhere").exists()) == ("base-missing", False)


def test_kills_in_the_midst_leave_what_the_next_run_makes_whole(works: Path, tmp_path: Path) -> None:
    command = [BUNDLER, "unpack", str(works / "delta.tar.gz"), "--root", "root"]
    bundler(tmp_path, "unpack", str(works / "old.tar.gz"), "--root", "reference")
    bundler(tmp_path, "unpack", str(works / "old.tar.gz"), "--root", "root")
    began = time.monotonic()
    bundler(tmp_path, "unpack", str(works / "delta.tar.gz"), "--root", "reference")
    took_s = time.monotonic() - began
    reference = {path for path in files_below(tmp_path / "reference") if not path.startswith(".")}
    for _ in range(KILLS):
        process = subprocess.Popen(command, cwd=tmp_path, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        try:
            process.wait(RANDOM.uniform(0.1, took_s))
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        subprocess.run(command, cwd=tmp_path, check=True, capture_output=True, timeout=WITHIN_S)
        assert {path for path in files_below(tmp_path / "root") if not path.startswith(".")} == reference
        made = bundler(tmp_path, "bundles", "--root", "root")["bundles"]
        newest = bundler(works, "inspect", "delta.tar.gz")["bundle"][:12]
        [name] = [entry["directory"] for entry in made if entry["directory"].endswith(newest)]
        assert bundler(tmp_path, "verify", f"root/{name}", "--strict")["intact"]
        bundler(tmp_path, "remove", name, "--root", "root")


@contextmanager
def small_disk(place: Path, size: str) -> Iterator[Path]:
    place.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={size}", "none", place], check=True)
    try:
        yield place
    finally:
        subprocess.run(["umount", place], check=True)


def test_a_full_disk_leaves_the_root_as_it_was(works: Path, tmp_path: Path) -> None:
    with small_disk(tmp_path / "root", "12m") as root:
        tree = Path(bundler(tmp_path, "unpack", str(works / "old.tar.gz"), "--root", "root")["directory"])
        # what has another mode there is copied, and the disk has no room for that
        for blob in (tmp_path / tree / "k8simage/blobs/sha256").iterdir():
            blob.chmod(0o600)
        there = files_below(root)
        assert bundler(tmp_path, "unpack", str(works / "delta.tar.gz"), "--root", "root", code=11)["id"] == "disk-full"
        assert files_below(root) == there


def _sent(gap: AirGap, cable: str) -> int:
    told = json.loads(gap.master("ip", "-s", "-j", "link", "show", "dev", cable))
    return int(told[0]["stats64"]["tx"]["bytes"])


def _cable(gap: AirGap) -> str:
    return next(str(link["ifname"]) for link in json.loads(gap.master("ip", "-j", "link")) if link["ifname"] != "lo")


@contextmanager
def _served(gap: AirGap, directory: Path) -> Iterator[str]:
    command: Sequence[str] = [*gap.on_master, sys.executable, "-m", "http.server", "8000", "-d", str(directory)]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    url = f"http://{MASTER}:8000"
    probe = [*gap.on_edge, "curl", "-fsS", "-o", "/dev/null", url]
    try:
        eventually(lambda: subprocess.run(probe, capture_output=True, check=False).returncode == 0, "files are served")
        yield url
    finally:
        process.terminate()
        process.wait()


def test_a_slow_link_carries_the_delta_alone(works: Path, tmp_path: Path) -> None:
    bundler(tmp_path, "unpack", str(works / "old.tar.gz"), "--root", "root", "--activate")
    with air_gap() as gap:
        cable = _cable(gap)
        shaped = ("root", "tbf", "rate", LINK_RATE, "burst", "32kbit", "latency", "400ms")
        gap.master("tc", "qdisc", "add", "dev", cable, *shaped)
        with _served(gap, works) as url:
            before = _sent(gap, cable)
            gap.edge("curl", "-fsSO", f"{url}/delta.tar.gz", cwd=tmp_path)
            carried = _sent(gap, cable) - before
        gap.edge(BUNDLER, "unpack", "delta.tar.gz", "--root", "root", "--activate", cwd=tmp_path)
    assert (tmp_path / "delta.tar.gz").stat().st_size < carried < (works / "new.tar.gz").stat().st_size / 25
    [active] = [entry for entry in bundler(tmp_path, "bundles", "--root", "root")["bundles"] if entry["active"]]
    assert active["release"] == "2"
