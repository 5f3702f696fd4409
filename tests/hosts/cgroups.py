"""A control group of its own for each host, in every hierarchy: two systemds in one group would manage each other's.

systemd-nspawn with --keep-unit makes the host's groups where it finds itself, so a host is started from its own.
"""

from __future__ import annotations

import os
import time
from pathlib import Path

# a group can be removed some moments after its last process has ended
GONE_WITHIN_S = 20
POLL_S = 0.02


def own_groups() -> list[Path]:
    """Return this process's group in every hierarchy that is mounted."""
    memberships = Path("/proc/self/cgroup").read_text().splitlines()
    paths = {controllers: path for _, controllers, path in (line.split(":", 2) for line in memberships)}
    found = []
    for line in Path("/proc/self/mountinfo").read_text().splitlines():
        before, _, after = line.partition(" - ")
        root, mount = before.split()[3:5]
        kind, _, options = after.split()
        # cgroups(7): the second version has no controllers in /proc/PID/cgroup, the first has them among its options
        names = {"cgroup2": [""], "cgroup": [name for name in paths if name and _has(options, name)]}.get(kind, [])
        found += [Path(mount) / _below(paths[name], root) for name in names if name in paths]
    return found


def _has(options: str, controllers: str) -> bool:
    return set(controllers.split(",")) <= set(options.split(","))


def _below(path: str, root: str) -> str:
    return path.removeprefix(root.rstrip("/")).lstrip("/")


def make_groups(name: str) -> list[Path]:
    """Make a group of this name in each of our own groups, and return them."""
    made = [group / name for group in own_groups()]
    for group in made:
        for directory in (group.parent, group):
            directory.mkdir(exist_ok=True)
            # cpuset(7): nobody can be put into a set of no processors
            for setting in ("cpuset.cpus", "cpuset.mems"):
                if (directory / setting).exists() and not (directory / "cgroup.controllers").exists():
                    (directory / setting).write_text((directory.parent / setting).read_text())
    return made


def remove_groups(groups: list[Path]) -> None:
    """Remove groups with all that the host made below them; their processes have been ended."""
    until = time.monotonic() + GONE_WITHIN_S
    for group in groups:
        while group.exists() and not _removed(group) and time.monotonic() < until:
            time.sleep(POLL_S)


def _removed(group: Path) -> bool:
    try:
        for directory, _, _ in os.walk(group, topdown=False):
            Path(directory).rmdir()
    except OSError:
        return False
    return True
