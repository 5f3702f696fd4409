"""What the process does that compares a bundle: read at the lowest priority, write down how far it is, and tell."""

from __future__ import annotations

import os
import time
from typing import TYPE_CHECKING

from bundler.translation import tr
from mirror.tree.comparison import compare
from mirror.worker.operator_log import log_line

if TYPE_CHECKING:
    from mirror.shared.comparisons import ComparisonRecord, Comparisons
    from mirror.tree.served import File
    from mirror.tree.served_bundle import ServedBundle
    from mirror.worker.control import ControlChannel

# nice(2); the kernel gives the disk by it too, where nobody has said otherwise (ioprio_set(2))
_LOWEST_PRIORITY = 19
# files that the log names
_MAX_NAMED = 100


class _Recorder:
    """Writes down what happens, until nobody is left who wants to know (`ComparisonWatcher`)."""

    def __init__(self, record: ComparisonRecord, control: ControlChannel) -> None:
        self._record = record
        self._control = control
        self._named = 0

    def read(self, size: int) -> None:
        self._record.add_read(size)

    def found_wrong(self, number: int, file: File) -> None:
        self._record.add_wrong(number)
        self._named += 1
        if self._named <= _MAX_NAMED:
            log_line(
                tr(
                    "{bundle}/{path} is not served: its bytes are not the listed ones",
                    bundle=file.bundle,
                    path=file.path,
                )
            )

    def file_ended(self) -> bool:
        self._record.add_file()
        self._control.receive()
        return not self._control.closed


def compare_bundle(bundle: ServedBundle, comparisons: Comparisons, control: ControlChannel) -> None:
    """Compare a bundle that was claimed, and do nothing for one that was not."""
    record = comparisons.record(bundle.fingerprint)
    if record is None:
        return
    os.nice(_LOWEST_PRIORITY)
    if not compare(bundle, _Recorder(record, control)):
        return
    result = record.end(int(time.time()))
    files = tr(
        "{files} files of {title} ({short_id}) were compared",
        files=result.files,
        title=bundle.title,
        short_id=bundle.short_id,
    )
    log_line(f"{files}: {f'{result.wrong} are not the listed ones' if result.wrong else 'all are as listed'}")
