"""An engine's reports about the layers that it pushes, as progress and as a count."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from bundler.translation import tr

if TYPE_CHECKING:
    from bundler.model.progress import Progress, Task
    from bundler.push.engine import LayerStep

_PUSHED, _PRESENT = "pushed", "layer already exists"
_MOUNTED = "mounted from"


@dataclass(slots=True)
class _Layer:
    task: Task
    sent_bytes: int = 0


@dataclass(slots=True)
class LayerProgress:
    """Shows one push of one image; every layer is an item.

    Arguments:
        label: the first part of the items' names.
        blobs, blob_bytes: layers that were sent, and their bytes as the engine counts them (some: before compression).
        mounted: layers that the registry mounted from another repository.
    """

    progress: Progress
    label: str
    blobs: int = 0
    blob_bytes: int = 0
    mounted: int = 0
    _under_way: dict[str, _Layer] = field(default_factory=dict)

    def step(self, step: LayerStep) -> None:
        """Show and count a step."""
        status = step.status.lower()
        if status in (_PUSHED, _PRESENT) or status.startswith(_MOUNTED):
            self._finish(step, status)
        elif step.total_bytes:
            layer = self._layer(step)
            # engines count past the total
            reached = min(step.done_bytes, step.total_bytes)
            layer.task.advance(reached - layer.sent_bytes)
            layer.sent_bytes = reached

    def end(self) -> None:
        """End the items that are not finished: the push has failed."""
        for layer in self._under_way.values():
            layer.task.finish(tr("failed"))
        self._under_way.clear()

    def _finish(self, step: LayerStep, status: str) -> None:
        layer = self._layer(step)
        del self._under_way[step.layer]
        if status.startswith(_MOUNTED):
            self.mounted += 1
        elif status == _PUSHED:
            self.blobs += 1
            self.blob_bytes += layer.sent_bytes
        layer.task.finish(_outcome(status))

    def _layer(self, step: LayerStep) -> _Layer:
        if step.layer not in self._under_way:
            task = self.progress.task(f"{self.label} {step.layer}", step.total_bytes or None)
            self._under_way[step.layer] = _Layer(task)
        return self._under_way[step.layer]


def _outcome(status: str) -> str:
    if status == _PUSHED:
        return ""
    return tr("present") if status == _PRESENT else tr("taken over")
