"""A mirror of a part of a bundle: what was left out is not there, and of the images only the whole ones are offered."""

from __future__ import annotations

import ftplib
import json
import subprocess
from typing import TYPE_CHECKING

import pytest

from bundler.model.bundle import bundle_id, decode_index
from bundler.model.subset import Choice, Subset, encode_subset
from tests.integration.mirror_program import LOOPBACK, PROGRAM, mirror
from tests.integration.placed_images import AMD64, ARM64, place_images
from tests.integration.raw_http import connected

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.integration
WHOLE, HALF = "quay.io/demo/whole:1", "quay.io/demo/half:1"
CHOICE = Choice(platforms=(AMD64,))


@pytest.fixture
def part(tmp_path: Path) -> tuple[Path, set[str]]:
    """A tree as `unpack --platform linux/amd64` leaves it, and the paths that it lacks."""
    placed = place_images(tmp_path / "scratch", {WHOLE: (AMD64,), HALF: (AMD64, ARM64)})
    tree = placed.write_bundle(tmp_path / "root")
    data = (tree / "bundle.json").read_bytes()
    left_out = {file.path for file in decode_index(data, where="test").files if not CHOICE.wants(file)}
    for path in left_out:
        (tree / path).unlink()
    (tree / "subset.json").write_bytes(encode_subset(Subset(bundle_id(data), (CHOICE,))))
    tmp_path.chmod(0o755)
    return tree, set(left_out)


def test_what_was_left_out_is_not_there_and_health_is_green(part: tuple[Path, set[str]]) -> None:
    tree, left_out = part
    assert left_out
    with mirror(tree, "--verify", "--ftp", f"{LOOPBACK}:0") as running, connected(running.port) as wire:
        status, health = running.health()
        assert (status, health["verified"], health["bundles"][0]["left_out"]) == (200, True, len(left_out))
        for path in left_out:
            assert wire.get(f"/{path}").status == 404
        assert wire.get("/subset.json").status == 404
        with ftplib.FTP() as client:  # noqa: S321 - what is tested
            client.connect(LOOPBACK, running.ftp_port)
            client.login()
            with pytest.raises(ftplib.error_perm, match="550"):
                client.size(min(left_out))
        running.said(f"a part of it ({len(left_out)} files are left out)")
        page = wire.get("/", "Accept: text/html", "Accept-Language: en").body.decode()
        assert "A part of the bundle" in page
        assert "files were left out on purpose" in page


def test_it_is_held_to_the_part_that_is_on_the_disk(part: tuple[Path, set[str]]) -> None:
    tree, left_out = part
    with mirror(tree) as running:
        verify = [str(PROGRAM), "verify", running.url, "--json"]
        held = subprocess.run([*verify, "--root", str(tree)], capture_output=True, text=True, check=False)
        assert held.returncode == 0, held.stdout + held.stderr
        (answer,) = json.loads(held.stdout)["mirrors"]
        assert (answer["findings"], answer["registry"]["findings"]) == ([], [])
        whole = subprocess.run(verify, capture_output=True, text=True, check=False)
        assert {finding["path"] for finding in json.loads(whole.stdout)["mirrors"][0]["findings"]} == left_out


def test_only_whole_images_are_offered(part: tuple[Path, set[str]]) -> None:
    tree, _ = part
    with mirror(tree) as running, connected(running.port) as wire:
        assert json.loads(wire.get("/v2/_catalog").body) == {"repositories": ["demo/whole"]}
        assert wire.get("/v2/demo/whole/manifests/1").status == 200
        assert wire.get("/v2/demo/half/manifests/1").status == 404
        snippets = wire.get("/-/client/").body.decode()
        # neither the script for all images nor what fetches the whole bundle would come to an end
        assert "bundle-http.sh" not in snippets
        assert "load" not in snippets


def test_a_part_that_was_completed_is_followed(part: tuple[Path, set[str]]) -> None:
    tree, left_out = part
    with mirror(tree) as running, connected(running.port) as wire:
        (tree / "subset.json").unlink()
        running.told("mirror: reloaded")
        assert wire.get(f"/{min(left_out)}").status == 503
        assert running.health()[0] == 503
