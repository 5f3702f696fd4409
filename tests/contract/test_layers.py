"""The import contracts of pyproject.toml hold, nothing stands outside them, and they break where they should."""

from __future__ import annotations

import configparser
import re
import tomllib
from typing import TYPE_CHECKING, Any

import pytest

from bundler.kinds import KINDS
from tests.contract.checkout import PRODUCT, ROOT
from tests.contract.linted_copy import broken_contracts, copy_packages

if TYPE_CHECKING:
    from pathlib import Path

LINTER = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["importlinter"]
# what every room may use
OPEN_TO_ALL = {
    "bundler.model",
    "bundler.errors",
    "bundler.durable",
    "bundler.translation",
    "mirror.settings",
    "mirror.dates",
}
# names under which a distribution is imported, where they differ from its own
IMPORTED_AS = {"pyyaml": "yaml", "rpm-rs": "rpm_rs", "pyOpenSSL": "OpenSSL", "backports.zstd": "backports"}
# file -> (an import that does not belong there, the contracts that say so)
STRAYS: dict[str, tuple[str, set[str]]] = {
    "bundler/stray/__init__.py": (
        "import requests\nfrom bundler.store.blobs import Store\n",
        {"who uses store", "only net, the engine and probe open connections"},
    ),
    "bundler/kinds/files/stray.py": (
        "from bundler.kinds.images.fetching import image_fetches\n",
        {"the kinds of content do not know each other"},
    ),
    "bundler/model/stray.py": ("from bundler.manifest.reader import read_manifest\n", {"who uses manifest"}),
    "bundler/store/stray.py": ("import mirror.settings\n", {"bundler never imports mirror"}),
    "mirror/ftp/stray_commands.py": (
        "from pyftpdlib.handlers import FTPHandler\nfrom mirror.ftp.session import Session\n",
        {"only its adapter knows pyftpdlib", "FTP commands see a client through interface, not its session"},
    ),
    "mirror/page/stray.py": ("from bundler.rpm.solve.solving import solve\n", {"who uses rpm and upstream_archive"}),
    "mirror/stray/__init__.py": (
        "import yaml\nfrom mirror.tree.site import Site\n",
        {"who uses tree", "only manifest reads YAML"},
    ),
}


def _contracts(kind: str) -> list[dict[str, Any]]:
    return [contract for contract in LINTER["contracts"] if contract["type"] == kind]


def _contract(name: str) -> dict[str, list[str]]:
    (found,) = (contract for contract in LINTER["contracts"] if contract["name"] == name)
    return found  # type: ignore[no-any-return] # TOML


def _protected() -> set[str]:
    return {module for contract in _contracts("protected") for module in contract["protected_modules"]}


def _rooms(package: str) -> set[str]:
    parts = (path for path in (ROOT / package).iterdir() if path.suffix == ".py" or (path / "__init__.py").exists())
    return {f"{package}.{path.stem}" for path in parts} - {f"{package}.__init__", f"{package}.__main__"}


def test_import_contracts_hold() -> None:
    broken, report = broken_contracts(ROOT)
    assert broken == set(), report


def test_stray_packages_and_imports_break_them(tmp_path: Path) -> None:
    copy_packages(tmp_path)
    for name, (source, _) in STRAYS.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(source)
    broken, report = broken_contracts(tmp_path)
    expected = {contract for _, contracts in STRAYS.values() for contract in contracts}
    assert expected - broken == set(), report
    # nothing else breaks than what a stray has to do with; one that imports from above closes a circle
    assert broken - expected <= {"bundler imports only lower layers", "no circles between siblings, not even for types"}
    for name in STRAYS:
        assert name.removesuffix(".py").removesuffix("/__init__").replace("/", ".") in report


@pytest.mark.parametrize("package", PRODUCT)
def test_every_room_has_its_layer(package: str) -> None:
    layers = _contract(f"{package} imports only lower layers")["layers"]
    assert {part for layer in layers for part in re.findall(r"[\w.]+", layer)} == _rooms(package)


@pytest.mark.parametrize("package", PRODUCT)
def test_every_room_says_who_may_use_it(package: str) -> None:
    assert _rooms(package) - OPEN_TO_ALL - _protected() == set()


def test_every_library_has_its_users() -> None:
    setup = configparser.ConfigParser()
    setup.read(ROOT / "setup.cfg")
    wanted = setup["options"]["install_requires"] + setup["options.extras_require"]["build"]
    names = re.findall(r"^[A-Za-z][\w.-]*", wanted, flags=re.MULTILINE)
    assert {IMPORTED_AS.get(name, name) for name in names} - _protected() == set()


def test_every_kind_of_content_is_held_apart_from_the_others() -> None:
    packages = {type(kind).__module__.rpartition(".")[0] for kind in KINDS.values()}
    assert set(_contract("the kinds of content do not know each other")["modules"]) == packages
