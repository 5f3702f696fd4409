"""What a host has on its disks: layers of an overlay, and on request disks that can lose power.

The tree is the image, over it who the host is, snapshots, and the layer that the host writes. Without a disk a killed
host keeps all that it wrote, as the kernel of this machine goes on: that shows the order of its writes and no more.
A disk at "/" holds the layer that the host writes.

An overlay may not lie on another one: a container engine in the host wants a disk at /var/lib/docker to use overlay2.
"""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from typing import TYPE_CHECKING

from tests.hosts.disk import Disk, retried

if TYPE_CHECKING:
    from pathlib import Path

    from tests.hosts.enclosure import Enclosure

# hard links and renamed directories stay what they are when they come from a lower layer
OVERLAY_OPTIONS = "index=on,redirect_dir=on"
WHOLE = "/"


@dataclass(frozen=True, slots=True)
class Snapshot:
    """What a host had on its disks once.

    Arguments:
        layers: what it had written, topmost first.
        disks: copies of its disks, by where they belong.
    """

    layers: tuple[Path, ...]
    disks: dict[str, Path]


class Storage:
    """The disks of one host, mounted in a stage's enclosure.

    Arguments:
        directory: for all that the host writes.
        lowest: layers that every snapshot lies on, topmost first.
        disks: directories of the host that are disks, as absolute paths.

    Attributes:
        root: the host's tree, where it is mounted inside the enclosure.
    """

    def __init__(
        self, enclosure: Enclosure, directory: Path, lowest: tuple[Path, ...], disks: tuple[str, ...] = ()
    ) -> None:
        self._enclosure = enclosure
        self._directory = directory
        self._lowest = lowest
        self._layers: tuple[Path, ...] = ()
        self._made = 0
        self._attached = False
        self.root = directory / "root"
        self.root.mkdir(parents=True)
        self._whole_mount = directory / "whole"
        self._disks = {
            place: Disk(
                enclosure,
                directory / f"disk-{number}",
                self._whole_mount if place == WHOLE else self.root / place.strip("/"),
            )
            for number, place in enumerate(sorted(disks))
        }
        self._upper = self._new_layer()

    def attach(self) -> None:
        """Mount what the host has; nothing happens when it is mounted."""
        if self._attached:
            return
        upper = self._upper
        if WHOLE in self._disks:
            self._disks[WHOLE].attach()
            upper = self._whole_mount
        self._enclosure.do("mkdir", "-p", upper / "written", upper / "work")
        lower = ":".join(str(layer) for layer in (*self._layers, *self._lowest))
        options = f"{OVERLAY_OPTIONS},lowerdir={lower},upperdir={upper / 'written'},workdir={upper / 'work'}"
        command = ("mount", "-t", "overlay", "overlay", "-o", options, self.root)
        retried(lambda: self._enclosure.do(*command))
        for place, disk in self._disks.items():
            if place != WHOLE:
                disk.attach()
        self._attached = True

    def detach(self) -> None:
        """Unmount it all, writing what is to be written; nothing happens when it is not mounted."""
        if not self._attached:
            return
        retried(lambda: self._enclosure.do("umount", "--recursive", self.root))
        if WHOLE in self._disks:
            self._enclosure.do("umount", self._whole_mount)
        for disk in self._disks.values():
            disk.wait_until_released()
        self._attached = False

    def cut_power(self) -> None:
        """Stop every disk as it is at this moment; to be detached, and attached again."""
        if self._attached:
            for disk in self._disks.values():
                disk.cut_power()

    def snapshot(self) -> Snapshot:
        """Return what a stopped host has on its disks; it goes on in a layer of its own."""
        self.detach()
        if WHOLE not in self._disks:
            self._layers = (self._upper / "written", *self._layers)
            self._upper = self._new_layer()
        self._made += 1
        copies = {place: self._directory / f"copy-{self._made}{place.replace('/', '-')}" for place in self._disks}
        for place, copy in copies.items():
            self._disks[place].copy_to(copy)
        return Snapshot(self._layers, copies)

    def roll_back(self, snapshot: Snapshot) -> None:
        """Give a stopped host what a snapshot has, its own or that of another host with disks at the same places."""
        assert snapshot.disks.keys() == self._disks.keys(), "the snapshot is of a host with other disks"
        self.detach()
        shutil.rmtree(self._upper)
        self._layers, self._upper = snapshot.layers, self._new_layer()
        for place, copy in snapshot.disks.items():
            self._disks[place].copy_from(copy)

    def _new_layer(self) -> Path:
        self._made += 1
        layer = self._directory / f"layer-{self._made}"
        for name in ("written", "work"):
            (layer / name).mkdir(parents=True)
        return layer
