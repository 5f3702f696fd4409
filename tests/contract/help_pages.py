"""Every help page, in the language of this process; run as a program it prints them as JSON."""

from __future__ import annotations

import json
import os
import subprocess
import sys

from click.testing import CliRunner

from bundler.translation import teach_click
from tests.contract.checkout import ROOT
from tests.contract.command_line import PROGRAMS, commands

ENGLISH, CHINESE = "C.UTF-8", "zh_CN.UTF-8"
# columns of the terminal that a page is for
WIDTHS = {ENGLISH: 100, CHINESE: 80}


def help_pages(locale: str) -> dict[str, str]:
    """Return file name -> help page of every command, as a process of that locale shows it."""
    done = subprocess.run(
        [sys.executable, "-m", "tests.contract.help_pages", str(WIDTHS[locale])],
        cwd=ROOT,
        env={**os.environ, "LC_ALL": locale, "PYTHONUTF8": "1"},
        capture_output=True,
        check=True,
    )
    pages: dict[str, str] = json.loads(done.stdout)
    return pages


def _page(path: tuple[str, ...], width: int) -> str:
    answer = CliRunner().invoke(PROGRAMS[path[0]], [*path[1:], "--help"], prog_name=path[0], terminal_width=width)
    assert answer.exit_code == 0, answer.output
    return answer.output


if __name__ == "__main__":
    teach_click()
    print(json.dumps({f"{'-'.join(path)}.txt": _page(path, int(sys.argv[1])) for path in commands()}))  # noqa: T201 - a program
