"""The import contracts of pyproject.toml hold, and nothing stands outside them."""

from __future__ import annotations

import subprocess
import sys
import tomllib
from pathlib import Path

from tests.contract.checkout import ROOT

LINTER = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["importlinter"]


def _contract(name: str) -> dict[str, list[str]]:
    (found,) = (contract for contract in LINTER["contracts"] if contract["name"] == name)
    return found  # type: ignore[no-any-return] # TOML


def test_import_contracts_hold() -> None:
    command = [str(Path(sys.executable).with_name("lint-imports")), "--no-cache", "--no-logo"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "Contracts:" in done.stdout


def test_every_part_of_bundler_has_its_layer() -> None:
    layered = {
        part
        for layer in _contract("bundler imports only lower layers")["layers"]
        for part in layer.replace("|", " ").replace(":", " ").split()
    }
    parts = {
        path.stem for path in (ROOT / "bundler").iterdir() if path.suffix == ".py" or (path / "__init__.py").exists()
    }
    assert layered == {f"bundler.{part}" for part in parts - {"__init__", "__main__"}}


def test_every_kind_of_content_is_held_apart_from_the_others() -> None:
    from bundler.kinds import KINDS

    modules = {type(kind).__module__.rpartition(".")[0] for kind in KINDS.values()}
    assert set(_contract("the kinds of content do not know each other")["modules"]) == modules
