"""Which licences are SPDX expressions: identifiers that SPDX has, put together as it says."""

from __future__ import annotations

import json
from importlib import resources

import pytest
from license_expression import get_spdx_licensing

from bundler.materials.spdx_licenses import EXCEPTIONS, IDENTIFIERS, spdx_expression


def test_all_identifiers_are_those_of_spdx() -> None:
    schema = json.loads((resources.files("cyclonedx.schema") / "_res" / "spdx.SNAPSHOT.schema.json").read_bytes())
    assert set(schema["enum"]) >= IDENTIFIERS
    known = {key.lower() for key in get_spdx_licensing().known_symbols}
    assert {identifier.lower() for identifier in EXCEPTIONS} <= known


@pytest.mark.parametrize(
    "text",
    [
        "MIT",
        "MIT AND BSD-3-Clause",
        "(GPL-2.0-or-later OR Apache-2.0) AND MIT",
        "GPL-3.0-or-later WITH GCC-exception-3.1",
        "((MIT))",
    ],
)
def test_expressions_stay_as_they_are(text: str) -> None:
    assert spdx_expression(text) == text


def test_white_space_is_put_in_order() -> None:
    assert spdx_expression(" ( MIT  OR\tISC ) AND Zlib ") == "(MIT OR ISC) AND Zlib"


@pytest.mark.parametrize(
    "text",
    [
        "", "GPLv2+", "ASL 2.0", "MIT and BSD", "MIT,", "MIT AND", "AND MIT", "(MIT", "MIT)", "()", "MIT MIT",
        "MIT WITH", "MIT WITH MIT", "MIT WITH GCC-exception-3.1 WITH GCC-exception-3.1", "(" * 2000 + "MIT",
    ],
)  # fmt: skip
def test_other_words_are_no_expression(text: str) -> None:
    assert spdx_expression(text) == ""
