"""The host's name: the one that its node gets."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bundler.host.changes import RunCommand
from bundler.host.file_changes import EditFile
from bundler.site.step import Step, StepContext
from bundler.translation import tr

if TYPE_CHECKING:
    from collections.abc import Sequence

    from bundler.host.changes import Change

NAME_FILE = "/etc/hostname"
# undone when the file has its former name again, which the kernel gets then
_AS_THE_FILE_HAS_IT = ("sh", "-c", f"test ! -s {NAME_FILE} || hostname --file {NAME_FILE}")


class HostName(Step):
    """The guide's `hostnamectl set-hostname`, in its two parts: that command keeps nothing of the name before."""

    name = "hostname"
    title = tr("this host's name")

    def changes(self, at: StepContext) -> Sequence[Change]:
        """The kernel's name, and the file from which it gets it at the next start."""
        name = at.this.name
        check = ("sh", "-c", 'test "$(uname -n)" = "$1"', "sh", name)
        return (
            RunCommand(("hostname", name), undo=_AS_THE_FILE_HAS_IT, check=check, there=("test", "-e", NAME_FILE)),
            EditFile(NAME_FILE, lambda _: f"{name}\n".encode(), summary=(f"+{name}",)),
        )
