"""What a worker serves at the moment, and how a reload replaces it: as a whole, loaded in a thread of its own."""

from __future__ import annotations

import os
import threading
from dataclasses import dataclass
from typing import TYPE_CHECKING

from bundler.model.progress import Unwatched
from mirror.registry.repositories import repository_index
from mirror.tree.quarantine import Quarantine
from mirror.tree.site_loading import load_site
from mirror.worker.users import read_users

if TYPE_CHECKING:
    from collections.abc import Sequence

    from bundler.errors import BundlerError
    from mirror.registry.repositories import RepositoryIndex
    from mirror.settings import Settings
    from mirror.tree.shares import Share
    from mirror.tree.site import Site
    from mirror.tree.site_loading import Root
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
        registry: the names under which the site's images are given out.
    """

    site: Site
    users: Users | None
    key_files: KeyFiles
    quarantine: Quarantine
    generation: int
    registry: RepositoryIndex


@dataclass(frozen=True, slots=True)
class Loader:
    """Makes snapshots."""

    root: Root
    shares: Sequence[Share]
    settings: Settings

    def load(self, key_files: KeyFiles, generation: int) -> Serving:
        """Read everything anew. Raises BundlerError."""
        settings = self.settings
        users = None
        if settings.users is not None:
            users = read_users(key_files.users or b"", str(settings.users))
        site = load_site(self.root, self.shares, verify=Unwatched() if settings.verify else None)
        return Serving(site, users, key_files, Quarantine(site.bundles), generation, repository_index(site))


class Reload:
    """A snapshot in the making, in a thread of its own; `fileno` becomes readable when it is done."""

    def __init__(self, loader: Loader, key_files: KeyFiles, generation: int) -> None:
        self.generation = generation
        self._read_end, self._write_end = os.pipe()
        self._result: Serving | BundlerError | Exception | None = None
        self._thread = threading.Thread(target=self._load, args=(loader, key_files, generation), daemon=True)
        self._thread.start()

    def fileno(self) -> int:
        """Return the descriptor to wait on."""
        return self._read_end

    def _load(self, loader: Loader, key_files: KeyFiles, generation: int) -> None:
        try:
            self._result = loader.load(key_files, generation)
        except Exception as error:  # noqa: BLE001 - handed to the thread that takes the result
            self._result = error
        os.write(self._write_end, b"!")

    def take(self) -> Serving:
        """Return the snapshot, once; raises what loading it has raised."""
        self._thread.join()
        os.close(self._read_end)
        os.close(self._write_end)
        if isinstance(self._result, Serving):
            return self._result
        raise self._result or RuntimeError("nothing was loaded")
