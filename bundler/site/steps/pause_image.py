"""The sandbox image of every pod: without it pods stay in ContainerCreating. The guide forgets it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bundler.site.engine_image import PulledImage
from bundler.site.step import Step, StepContext
from bundler.translation import tr

if TYPE_CHECKING:
    from collections.abc import Sequence

    from bundler.host.changes import Change
    from bundler.site.config.model import SiteConfig

# edgecore's default (edged.podSandboxImage at the tag)
_UPSTREAM = "kubeedge/pause:3.1"


class PauseImage(Step):
    """The engine has it before edgecore asks; edgecore.yaml names it as the registry does."""

    name = "pause"
    title = tr("the sandbox image of pods")

    def changes(self, at: StepContext) -> Sequence[Change]:
        """A pull where the engine lacks it."""
        image = pause_image(at.config)
        remedy = tr(
            "See whether {registry_address} answers and has it (step images on the master), and whether "
            "this engine trusts it (steps daemon-json and registry-trust).",
            registry_address=at.config.registry_address,
        )
        return (PulledImage(image, remedy),)


def pause_image(config: SiteConfig) -> str:
    """Return the sandbox image as edges are to name it: the site's own word, or the registry's copy."""
    if config.kubeedge.pause:
        return config.kubeedge.pause
    name = _UPSTREAM.rpartition("/")[2]
    # nothing is pushed to the mirror's registry: it has the images' own names, and no project
    project = "" if config.registry.kind == "mirror" else config.registry.project
    return f"{config.registry_address}/{f'{project}/{name}' if project else _UPSTREAM}"
