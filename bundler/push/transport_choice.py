"""Which transport a push takes, straight to the registry or through the engine, and why. Pure.

Both look names up and compare them from here, so a registry has to be reached from here in any case: there is none that
the engine alone could push to. An engine sends one platform of an image and packs its layers anew, so that digests are
others; the same command has to mean the same whether an engine happens to run, and so only a request takes it.
"""

from __future__ import annotations

from typing import Literal

from bundler.translation import tr

Via = Literal["auto", "docker", "registry"]
STRAIGHT = tr(
    "pushing straight to the registry (--via registry): every platform, digests as in the lock; --via docker goes "
    "through a container engine"
)


def takes_engine(via: Via) -> bool:
    """Tell whether a push goes through the engine."""
    return via == "docker"
