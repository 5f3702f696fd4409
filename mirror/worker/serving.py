"""What a worker serves at the moment, and how it is made: read once by a process of its own, mapped by every worker."""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import TYPE_CHECKING

from bundler.model.progress import Unwatched
from bundler.trust.admission import ANYTHING, Admission
from bundler.trust.trusted_keys import TrustedKeys
from mirror.tree.quarantine import Quarantine
from mirror.tree.site_loading import open_site, pack_site
from mirror.worker.users import read_users

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from bundler.archive.bundle_root import BundleRoot
    from mirror.settings import Settings
    from mirror.tree.shares import Share
    from mirror.tree.site import Site
    from mirror.tree.site_packing import SitePart
    from mirror.worker.control import KeyFiles
    from mirror.worker.users import Users


@dataclass(slots=True)
class Serving:
    """One snapshot: a request takes it once, and goes by it to its end.

    Arguments:
        site: what is served.
        users: who may log in, None for anyone.
        key_files: certificate and key as bytes, for those who speak TLS.
        quarantine: the listed files that cannot be served at the moment.
        generation: counts the reloads, from 1.
    """

    site: Site
    users: Users | None
    key_files: KeyFiles
    quarantine: Quarantine
    generation: int


@dataclass(frozen=True, slots=True)
class Loader:
    """Makes snapshots.

    Arguments:
        parts: makes what the protocols need of a site beside its files.
    """

    root: BundleRoot
    shares: Sequence[Share]
    settings: Settings
    parts: Callable[[], Sequence[SitePart]] = tuple

    def pack(self, key_files: KeyFiles) -> int:
        """Read everything anew, and return the descriptor of the packed site. Raises BundlerError.

        What workers could not take over is refused here already.
        """
        verify = Unwatched() if self.settings.verify else None
        descriptor = pack_site(self.root, verify=verify, parts=self.parts(), admission=self._admission(key_files))
        try:
            self.open(descriptor, key_files, 0)
        except BaseException:
            os.close(descriptor)
            raise
        return descriptor

    def _admission(self, key_files: KeyFiles) -> Admission:
        """Return whose signatures are asked for."""
        if key_files.trusted is None:
            return ANYTHING
        return Admission(TrustedKeys.decode(key_files.trusted), self.settings.allow_unsigned)

    def open(self, descriptor: int, key_files: KeyFiles, generation: int) -> Serving:
        """Return the snapshot of a packed site; reads nothing of it. Raises BundlerError."""
        users = None
        if self.settings.users is not None:
            users = read_users(key_files.users or b"", str(self.settings.users))
        site = open_site(descriptor, self.root, self.shares)
        return Serving(site, users, key_files, Quarantine(site.bundles), generation)

    def load(self, key_files: KeyFiles, generation: int) -> Serving:
        """Do both in one process. Raises BundlerError."""
        descriptor = self.pack(key_files)
        try:
            return self.open(descriptor, key_files, generation)
        finally:
            os.close(descriptor)
