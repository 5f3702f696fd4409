"""What the demo's upstream serves: digests right, layers shared, the same bytes every time, programs that run."""

from __future__ import annotations

import gzip
import hashlib
import json
import platform
import re
import subprocess
from typing import TYPE_CHECKING, Any

import pytest

from bundler.rpm.signing.checking import check_package
from bundler.rpm.signing.keys import read_keys
from scripts.demo_upstream.elf import ARCHITECTURES, speaking_program
from scripts.demo_upstream.files import NOTES, files
from scripts.demo_upstream.images import images
from scripts.demo_upstream.rpms import KEY_PATH, rpms
from tests.contract.checkout import ROOT

if TYPE_CHECKING:
    from pathlib import Path

TREE = images()
INDEXES = ("demo/hello/manifests/1.0", "demo/pause/manifests/3.5")


def _json(path: str) -> dict[str, Any]:
    return json.loads(TREE[path].content)  # type: ignore[no-any-return] # JSON


def _manifests() -> list[tuple[str, dict[str, Any]]]:
    """Return repository and document of every manifest that is no index."""
    by_digest = [path for path in TREE if "/manifests/sha256:" in path]
    found = [(path.split("/manifests/")[0], _json(path)) for path in by_digest]
    return [(repository, manifest) for repository, manifest in found if "layers" in manifest]


@pytest.mark.parametrize("index", INDEXES)
def test_index_names_a_manifest_for_every_platform(index: str) -> None:
    children = _json(f"/v2/{index}")["manifests"]
    assert [child["platform"]["architecture"] for child in children] == list(ARCHITECTURES)
    for child in children:
        served = TREE[f"/v2/{index.partition('/manifests/')[0]}/manifests/{child['digest']}"]
        assert (served.media_type, len(served.content)) == (child["mediaType"], child["size"])


def test_every_blob_is_served_with_the_digest_and_size_that_its_manifest_says() -> None:
    manifests = _manifests()
    assert len(manifests) == 5
    for repository, manifest in manifests:
        for descriptor in (manifest["config"], *manifest["layers"]):
            content = TREE[f"{repository}/blobs/{descriptor['digest']}"].content
            assert f"sha256:{hashlib.sha256(content).hexdigest()}" == descriptor["digest"]
            assert len(content) == descriptor["size"]


def test_config_lists_the_digests_of_the_unpacked_layers() -> None:
    for repository, manifest in _manifests():
        config = _json(f"{repository}/blobs/{manifest['config']['digest']}")
        layers = [TREE[f"{repository}/blobs/{layer['digest']}"].content for layer in manifest["layers"]]
        unpacked = [f"sha256:{hashlib.sha256(gzip.decompress(layer)).hexdigest()}" for layer in layers]
        assert config["rootfs"]["diff_ids"] == unpacked


def test_all_images_share_one_base_layer() -> None:
    assert len({manifest["layers"][0]["digest"] for _, manifest in _manifests()}) == 1


def test_content_is_the_same_every_time() -> None:
    assert images() == TREE
    assert files() == files()
    assert rpms() == rpms()


def test_packages_are_signed_by_the_key_that_is_served(tmp_path: Path) -> None:
    served = rpms()
    keys = read_keys(served[KEY_PATH].content, KEY_PATH)
    packages = {path: resource for path, resource in served.items() if path.endswith(".rpm")}
    assert len(packages) == 10
    for path, resource in packages.items():
        file = tmp_path / path.rpartition("/")[2]
        file.write_bytes(resource.content)
        assert check_package(file, keys, where=path).fingerprint == keys[0].fingerprint


def test_noarch_packages_of_both_repositories_are_the_same() -> None:
    common = [resource.content for path, resource in rpms().items() if "demo-common" in path]
    assert len(common) == 2
    assert common[0] == common[1]


def test_checksum_files_hold_the_sha512_alone() -> None:
    served = files()
    checksums = {path: resource for path, resource in served.items() if "/checksum_" in path}
    assert len(checksums) == len(ARCHITECTURES)
    for path, resource in checksums.items():
        tarball = served[path.replace("/checksum_", "/").removesuffix(".txt")]
        assert resource.content.decode() == hashlib.sha512(tarball.content).hexdigest() + "\n"


def test_manifest_states_the_digest_of_the_notes() -> None:
    stated = re.findall(r"sha256: ([0-9a-f]{64})", (ROOT / "manifests" / "demo.yaml").read_text())
    assert stated == [hashlib.sha256(NOTES).hexdigest()]


@pytest.mark.parametrize("arch", ARCHITECTURES)
def test_program_is_a_static_executable_of_its_machine(arch: str) -> None:
    program = speaking_program(b"hello\n", arch)
    machine = {"amd64": 62, "arm64": 183}[arch]  # EM_X86_64, EM_AARCH64
    assert program[:5] == b"\x7fELF\x02"
    assert int.from_bytes(program[18:20], "little") == machine
    assert program.endswith(b"hello\n")


@pytest.mark.skipif(platform.machine() not in ("x86_64", "aarch64"), reason="no program for this machine")
@pytest.mark.parametrize("text", [b"hello\n", b"x" * 60_000])
def test_program_of_this_machine_writes_its_text(tmp_path: Path, text: bytes) -> None:
    path = tmp_path / "program"
    path.write_bytes(speaking_program(text, {"x86_64": "amd64", "aarch64": "arm64"}[platform.machine()]))
    path.chmod(0o755)
    assert subprocess.run([path], capture_output=True, check=True).stdout == text
