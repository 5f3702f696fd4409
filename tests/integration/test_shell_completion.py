"""The script of `completion`, evaluated in real shells: Tab completes commands, options, choices and files."""

from __future__ import annotations

import subprocess
from typing import TYPE_CHECKING

import pytest

from bundler.shell_completion import SHELLS
from tests.integration.shell_terminal import PROGRAMS, shell

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.integration

_EVALUATED = {
    "bash": 'eval "$({program} completion bash)"',
    "zsh": 'eval "$({program} completion zsh)"',
    "fish": "{program} completion fish | source",
}
LINES = {
    "bundler": {
        "bundler sto": "bundler store",
        "bundler store pru": "bundler store prune",
        "bundler site plan clo": "bundler site plan cloud",
        "bundler build m.yaml --keep-g": "bundler build m.yaml --keep-going",
        "bundler verify --log-f": "bundler verify --log-file",
        "bundler --color alw": "bundler --color always",
        "bundler check manif": "bundler check manifest.yaml",
        "bundler inspect manif": "bundler inspect manifest.yaml",
        "bundler plan manifest.yaml --store manif": "bundler plan manifest.yaml --store manifest.yaml",
    },
    "mirror": {
        "mirror ser": "mirror serv",
        "mirror service stat": "mirror service status",
        "mirror serve --access-l": "mirror serve --access-log",
        "mirror serve --log-format js": "mirror serve --log-format json",
        "mirror serve --root manif": "mirror serve --root manifest.yaml",
        "mirror completion fi": "mirror completion fish",
    },
}


@pytest.mark.parametrize("program", LINES)
@pytest.mark.parametrize("name", SHELLS)
def test_tab_completes_a_line(name: str, program: str, tmp_path: Path) -> None:
    (tmp_path / "manifest.yaml").write_text("")
    with shell(name, _EVALUATED[name].format(program=program), tmp_path) as terminal:
        assert {line: terminal.completed(line) for line in LINES[program]} == LINES[program]


def test_a_bash_that_knows_no_order_of_completions_completes_as_well(tmp_path: Path) -> None:
    script = """
        complete() { [[ $* != *nosort* ]] || return 2; builtin complete "$@"; }
        eval "$(bundler completion bash)"
        builtin complete -p bundler
    """
    done = subprocess.run(
        ["bash", "--noprofile", "--norc", "-c", script],
        env={"PATH": f"{PROGRAMS}:/usr/bin:/bin", "HOME": str(tmp_path)},
        capture_output=True,
        text=True,
        check=True,
    )
    assert (done.stdout, done.stderr) == ("complete -F _bundler_completion bundler\n", "")
