"""A scanner that many use, syft, which grype has inside, finds every package in our bills of materials."""

from __future__ import annotations

import json
import platform
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from bundler.materials.cyclonedx import cyclonedx_pieces
from bundler.materials.spdx import spdx_pieces
from tests.unit.materials.bundles import bill_of, materials_sample

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from bundler.materials.component import BillOfMaterials

pytestmark = [
    pytest.mark.integration,
    pytest.mark.skipif(platform.machine() != "x86_64", reason="syft is packed for x86_64"),
]
SYFT = Path(sys.executable).with_name("syft")
PACKAGES = {
    ("deb", "base-files", "12.4+deb12u5"),
    ("deb", "zlib1g", "1:1.2.13.dfsg-1"),
    ("rpm", "vsftpd", "3.0.2-29.el7_9"),
}


@pytest.mark.parametrize("pieces", [cyclonedx_pieces, spdx_pieces])
def test_syft_finds_every_package(tmp_path: Path, pieces: Callable[[BillOfMaterials], Iterator[bytes]]) -> None:
    archive = materials_sample(tmp_path).write(tmp_path / "demo.tar.gz").path
    document = tmp_path / "bill.json"
    document.write_bytes(b"".join(pieces(bill_of(archive))))
    done = subprocess.run(
        ["unshare", "--net", SYFT, "convert", document, "-o", "syft-json"],
        env={"HOME": str(tmp_path), "SYFT_CHECK_FOR_APP_UPDATE": "false"},
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)["artifacts"]
    packages = {(one["type"], one["name"], one["version"]) for one in found if one["type"] in ("deb", "rpm", "apk")}
    assert packages == PACKAGES
    [vsftpd] = [one for one in found if one["name"] == "vsftpd"]
    assert [licence["spdxExpression"] for licence in vsftpd["licenses"]] == ["MIT"]
