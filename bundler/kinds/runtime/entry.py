"""An entry of `runtime:` as a value: which Python for which platforms, and which release of this tool."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from bundler.kinds.runtime.python_archive import INTERPRETER
from bundler.model.bundle_path import BundlePath
from bundler.model.runtime_artifact import ROOT

if TYPE_CHECKING:
    from bundler.kinds.source import Source
    from bundler.model.json_value import Json
    from bundler.model.platform import Platform
    from bundler.model.source_text import Position


@dataclass(frozen=True, slots=True)
class WantedRuntime:
    """A runtime for one platform, and where its Python comes from."""

    platform: Platform
    python: Source

    @property
    def key(self) -> str:
        """Its directory in the bundle."""
        return f"{ROOT}{self.platform.machine}"


@dataclass(frozen=True, slots=True)
class RuntimeEntry:
    """One list item.

    Arguments:
        id: `runtime`, or with `platforms` of its own `runtime/MACHINE[,…]`.
        runtimes: one for each platform, at least one.
        tool: the url of a wheel of this tool; "" for the running one.
    """

    id: str
    position: Position
    runtimes: tuple[WantedRuntime, ...]
    tool: str

    @property
    def key(self) -> str:
        """The machines that it is for."""
        return f"{ROOT}{','.join(wanted.platform.machine for wanted in self.runtimes)}"

    def meaning(self) -> Json:
        """Return what is asked for."""
        return {
            "runtimes": [{"platform": str(item.platform), "python": item.python.meaning()} for item in self.runtimes],
            "tool": self.tool,
        }

    def targets(self) -> tuple[BundlePath, ...]:
        """Return the interpreters: two entries for one machine collide there."""
        return tuple(BundlePath(f"{wanted.key}/{INTERPRETER}") for wanted in self.runtimes)
