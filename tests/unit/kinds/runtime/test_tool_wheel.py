from __future__ import annotations

import io
import subprocess
import sys
import zipfile
from typing import TYPE_CHECKING

from bundler.kinds.runtime.tool_wheel import RunningInstallation, pack_wheel, wheel_name
from bundler.kinds.runtime.wheels import metadata_member, read_metadata
from tests.contract.checkout import package_files

if TYPE_CHECKING:
    from pathlib import Path


def test_the_running_installation_is_packed_whole() -> None:
    files = RunningInstallation().files()

    assert sorted(name for name in files if ".dist-info/" not in name) == list(package_files())
    [info] = {name.partition("/")[0] for name in files if ".dist-info/" in name}
    assert {f"{info}/METADATA", f"{info}/WHEEL", f"{info}/entry_points.txt"} <= files.keys()
    # what an installer adds, and tells of this machine, stays
    assert {f"{info}/direct_url.json", f"{info}/INSTALLER", f"{info}/RECORD"}.isdisjoint(files)


def test_the_same_files_are_the_same_bytes_whatever_their_order() -> None:
    files = RunningInstallation().files()

    assert pack_wheel(files) == pack_wheel(dict(reversed(list(files.items()))))


def test_it_is_a_wheel_that_pip_takes(tmp_path: Path) -> None:
    data = pack_wheel(RunningInstallation().files())
    archive = zipfile.ZipFile(io.BytesIO(data))
    metadata = read_metadata(archive.read(metadata_member(archive.namelist(), "x")), "x")
    wheel = tmp_path / wheel_name(metadata.name, metadata.version)
    wheel.write_bytes(data)

    options = ["--no-deps", "--no-index", "--disable-pip-version-check", "--target", str(tmp_path / "there")]
    subprocess.run([sys.executable, "-m", "pip", "install", *options, wheel], check=True, capture_output=True)

    assert (tmp_path / "there" / "mirror" / "py.typed").is_file()
    assert (metadata.name, metadata.version) == ("kubeedge-bundler", "0.1.0")
    assert any(line.startswith("click") for line in metadata.requires)
