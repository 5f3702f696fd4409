"""What of a Python and of a wheel a site needs. Pure; owns the rules, which a lock outlives: it lists every file."""

from __future__ import annotations

import re

# developers' parts of the standard library, and what needs a display
_UNUSED_TOPS = frozenset(
    {
        *("test", "idlelib", "tkinter", "turtledemo", "turtle.py", "ensurepip", "lib2to3", "distutils", "pydoc_data"),
        *("venv", "site-packages", "__pycache__", "unittest", "doctest.py", "curses", "dbm", "sqlite3", "crypt.py"),
    }
)
_UNUSED_EXTENSIONS = re.compile(
    r"(?:_tkinter|_test\w*|_ctypes_test|xx\w+|_xx\w+test\w*|_curses\w*|_g?dbm|_sqlite3|_crypt|nis|ossaudiodev)\."
)
_UNUSED_ENDINGS = (".a", ".exe", ".pyc", ".pyo", ".o")
# sources of extensions, and types for those who write programs
_UNUSED_IN_WHEELS = (".pyc", ".pyx", ".pxd", ".pxi", ".pyi", ".c", ".h", ".cpp", ".hpp", ".pth")
_UNUSED_PACKAGES = frozenset({"test", "tests", "__pycache__"})


def is_needed_of_stdlib(path: str) -> bool:
    """Tell whether a file of the standard library stays; `path` is below its directory."""
    parts = path.split("/")
    if parts[0] in _UNUSED_TOPS or parts[0].startswith("config-") or "__pycache__" in parts:
        return False
    if parts[0] == "lib-dynload" and _UNUSED_EXTENSIONS.match(parts[-1]):
        return False
    return not path.endswith(_UNUSED_ENDINGS) and not ({"test", "tests"} & set(parts[1:-1]))


def is_needed_of_wheel(path: str) -> bool:
    """Tell whether a file of a wheel stays; `path` is the one below site-packages."""
    parts = path.split("/")
    if len(parts) == 1 and path.endswith(".pth"):
        return False
    return not path.endswith(_UNUSED_IN_WHEELS) and _UNUSED_PACKAGES.isdisjoint(parts[1:-1])
