"""Options that several commands share, each with its MIRROR_… variable."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

from bundler import console

F = TypeVar("F", bound=Callable[..., Any])


def option(*names: str, **settings: Any) -> Callable[[F], F]:
    """Return `console.option` for a variable MIRROR_…."""
    return console.option("MIRROR", *names, **settings)


json_option = option("--json", "as_json", is_flag=True, help="Answer with a JSON object on stdout.")
