"""pyftpdlib stays behind its adapter: nobody else imports it, or touches what it keeps to itself."""

from __future__ import annotations

import ast
import asynchat
import asyncore
import inspect
import logging
from pathlib import Path
from typing import TYPE_CHECKING

import pyftpdlib.handlers.ftp.control
import pyftpdlib.handlers.ftps.ssl
import pyftpdlib.ioloop
import pytest

import mirror
from mirror.ftp.pyftpdlib_adapter import new_event_loop, quiet_log

if TYPE_CHECKING:
    from collections.abc import Iterator

PRODUCT = Path(mirror.__file__).parent
ADAPTER = PRODUCT / "ftp" / "pyftpdlib_adapter.py"
# the classes that sessions are made of
THEIRS = (
    pyftpdlib.handlers.ftp.control,
    pyftpdlib.handlers.ftps.ssl,
    pyftpdlib.ioloop,
    asynchat,
    asyncore,
)


def imported(path: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            yield from (alias.name.partition(".")[0] for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield (node.module or "").partition(".")[0]


def private_attributes(source: str) -> set[str]:
    """Return the private names that some code uses or defines on objects."""
    names = set()
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Attribute):
            names.add(node.attr)
        elif isinstance(node, ast.FunctionDef):
            names.add(node.name)
    return {name for name in names if name.startswith("_") and not name.startswith("__")}


def test_one_module_imports_pyftpdlib() -> None:
    naming_it = [path for path in sorted(PRODUCT.rglob("*.py")) if "pyftpdlib" in path.read_text()]
    assert [path for path in naming_it if "pyftpdlib" in imported(path)] == [ADAPTER]


@pytest.mark.parametrize("name", ["session.py", "tls.py"])
def test_what_is_built_on_the_adapter_shares_no_private_name_with_pyftpdlib(name: str) -> None:
    theirs = set().union(*(private_attributes(inspect.getsource(module)) for module in THEIRS))
    assert {"_current_type", "_closed", "_ssl_requested", "_wanted_io_events"} <= theirs
    assert private_attributes((PRODUCT / "ftp" / name).read_text()) & theirs == set()


def test_the_adapters_docstring_names_every_private_name_that_it_uses() -> None:
    docstring = ast.get_docstring(ast.parse(ADAPTER.read_text())) or ""
    unnamed = {name for name in private_attributes(ADAPTER.read_text()) if f"`{name}`" not in docstring}
    assert unnamed == set()


@pytest.fixture
def log() -> Iterator[logging.Logger]:
    log = logging.getLogger("pyftpdlib")
    before = log.handlers[:], log.propagate, log.level
    log.handlers.clear()
    yield log
    log.handlers[:], log.propagate, log.level = before


def test_of_pyftpdlibs_log_bugs_are_left(log: logging.Logger, capsys: pytest.CaptureFixture[str]) -> None:
    quiet_log()
    quiet_log()
    assert len(log.handlers) == 1
    log.info("a client has connected")
    log.error("a bug")
    assert capsys.readouterr().err == "a bug\n"


def test_every_loop_is_one_of_its_own() -> None:
    one, other = new_event_loop(), new_event_loop()
    assert one is not other
    calls: list[str] = []
    one.call_later(0, lambda: calls.append("one"))
    other.loop(0, False)
    assert calls == []
    one.loop(0, False)
    assert calls == ["one"]
    one.close()
    other.close()
