"""What root does below another user's directory stays there, whenever he puts links in place of his directories."""

from __future__ import annotations

import os
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from tests.contract.checkout import ROOT
from tests.integration.redirected import ARCHIVE, WORKS
from tests.unit.archive.bundles import sample

if TYPE_CHECKING:
    from pathlib import Path


# every operation of all is a matter of minutes
STRIDES = {"unpack": 2, "beside": 5, "store": 11}


@pytest.mark.integration
@pytest.mark.skipif(os.geteuid() != 0, reason="only root can be led to what another user may not change")
@pytest.mark.parametrize("work", WORKS)
def test_a_link_put_in_at_any_moment_leads_nowhere(tmp_path: Path, work: str) -> None:
    stride = "1" if os.environ.get("LONG_TESTS") else str(STRIDES.get(work, 1))
    sample(tmp_path).write(tmp_path / ARCHIVE)
    done = subprocess.run(
        [sys.executable, "-m", "tests.integration.redirected", work, stride, tmp_path],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
        timeout=600,
    )
    *changed, links, hard_links = done.stdout.splitlines() or ("", "")
    assert done.returncode == 0, done.stderr
    assert changed == []
    assert min(int(line.removeprefix("done ")) for line in (links, hard_links)) > 3
