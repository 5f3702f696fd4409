"""No two siblings import each other, by whatever way round; and the contract that says so notices when they do."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.contract.linted_copy import broken_contracts, copy_packages

if TYPE_CHECKING:
    from pathlib import Path

CONTRACT = "no circles between siblings, not even for types"
FOR_TYPES = "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    {}\n"


@pytest.mark.parametrize(
    ("module", "line"),
    [
        ("mirror/http/interface.py", "from mirror.http import connection"),
        ("mirror/http/interface.py", FOR_TYPES.format("from mirror.http import connection")),
        ("bundler/rpm/metadata/repomd.py", "from bundler.rpm.solve import request"),
        ("bundler/model/reference.py", FOR_TYPES.format("from bundler.model import client_config")),
    ],
    ids=["two modules", "two modules, for types", "two packages", "a package and a module, for types"],
)
def test_an_import_that_closes_a_circle_breaks_the_contract(tmp_path: Path, module: str, line: str) -> None:
    copy_packages(tmp_path)
    with (tmp_path / module).open("a") as spoiled:
        spoiled.write(f"\n{line}\n")
    assert broken_contracts(tmp_path)[0] == {CONTRACT}
