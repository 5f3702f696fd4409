"""The scripts that travel with the images, joined: every shell that a host may have parses them. They run elsewhere."""

from __future__ import annotations

import subprocess

import pytest

from bundler.kinds.images.scripts import SCRIPTS, travelling_scripts
from tests.integration.push_script import SHELLS


@pytest.mark.parametrize("shell", SHELLS)
@pytest.mark.parametrize("name", SCRIPTS)
def test_every_shell_parses_them(name: str, shell: str) -> None:
    script = travelling_scripts()[name]
    done = subprocess.run([*shell.split(), "-n"], input=script, capture_output=True, check=False)
    assert (done.returncode, done.stderr) == (0, b"")
    broken = subprocess.run([*shell.split(), "-n"], input=script + b"fi\n", capture_output=True, check=False)
    assert broken.returncode != 0
