"""A stage: real hosts on a network of their own, and nothing of them left when the block ends.

    with stage(HostPlan("master"), HostPlan("edge", disks=("/opt",))) as (master, edge):
        for host in (master, edge):
            host.power_on()
        for host in (master, edge):
            host.wait_until_up()

They know each other by name (/etc/hosts) and reach nothing else. `Stage.beside` runs programs of this machine on the
same network: a registry, curl, dnf.
"""

from __future__ import annotations

import hashlib
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from tests.hosts.cgroups import make_groups
from tests.hosts.debian_image import debian_image
from tests.hosts.enclosure import Enclosure
from tests.hosts.network import Network
from tests.hosts.nspawn import Nspawn
from tests.hosts.nspawn_host import NspawnHost
from tests.hosts.requirements import require_root
from tests.hosts.stage_directory import record_groups, stage_directory
from tests.hosts.storage import Storage

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

PROGRAMS = ("systemd-nspawn", "debootstrap", "mkfs.ext4", "losetup", "ip", "nsenter", "unshare", "setpriv", "mount")


@dataclass(frozen=True, slots=True)
class HostPlan:
    """What a host is to be.

    Arguments:
        name: its host name.
        packages: of Debian, beside the minimal ones.
        disks: directories that are disks of their own and can lose power, "/" for all that it writes.
    """

    name: str
    packages: tuple[str, ...] = ()
    disks: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Stage:
    """Hosts and their network; iterating gives the hosts.

    Arguments:
        hosts: in the order of their plans.
        beside: what the command line of a program of this machine begins with to run as host `beside`.
        directory: where the hosts' files lie.
    """

    hosts: tuple[NspawnHost, ...]
    beside: tuple[str, ...]
    directory: Path

    def __iter__(self) -> Iterator[NspawnHost]:
        """Give the hosts in order."""
        return iter(self.hosts)


@contextmanager
def stage(*plans: HostPlan) -> Iterator[Stage]:
    """Make hosts, which are off at first, and take all of it away again, running or not.

    Skips the test where it cannot be done: without root, a program, or a way to Debian's packages for the first time.
    """
    require_root(*PROGRAMS)
    images = [debian_image(*plan.packages) for plan in plans]
    with ExitStack() as stack:
        directory = stack.enter_context(stage_directory())
        enclosure = Enclosure()
        stack.callback(enclosure.end)
        network = Network(enclosure, tuple(plan.name for plan in plans))
        hosts: list[NspawnHost] = []
        for plan, image in zip(plans, images, strict=True):
            own = directory / plan.name
            lowest = (_identity(plan.name, network, own / "identity"), *image)
            groups = make_groups(f"{directory.name}/{plan.name}")
            record_groups(directory, groups)
            storage = Storage(enclosure, own, lowest, plan.disks)
            hardware = Nspawn(plan.name, enclosure, groups, own / "console")
            hosts.append(NspawnHost(plan.name, enclosure, hardware, storage, network))
            stack.callback(hosts[-1].end)
        yield Stage(tuple(hosts), enclosure.network_prefix, directory)


def _identity(name: str, network: Network, layer: Path) -> Path:
    """Make the layer that says who a host is; it does not change, whatever is rolled back."""
    (layer / "etc").mkdir(parents=True)
    (layer / "etc" / "hostname").write_text(f"{name}\n")
    (layer / "etc" / "hosts").write_text(network.hosts_file(name))
    # machine-id(5); without one systemd would take every boot for the first
    machine = hashlib.md5(name.encode(), usedforsecurity=False).hexdigest()
    (layer / "etc" / "machine-id").write_text(f"{machine}\n")
    return layer
