"""The checkout that the contract tests read."""

from __future__ import annotations

from pathlib import Path

ROOT = Path(__file__).parents[2]
PRODUCT = ("bundler", "mirror")


def python_files(*directories: str) -> tuple[Path, ...]:
    """Return all Python files below directories of the checkout, sorted."""
    return tuple(sorted(path for directory in directories for path in (ROOT / directory).rglob("*.py")))


def package_files() -> tuple[str, ...]:
    """Return every file that an installed package has to have, from the root, sorted."""
    found = (path for package in PRODUCT for path in (ROOT / package).rglob("*") if path.is_file())
    return tuple(sorted(str(path.relative_to(ROOT)) for path in found if "__pycache__" not in path.parts))
