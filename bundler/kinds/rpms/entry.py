"""An entry of `rpms:` as a value: a repository for one architecture, what it is made from and what it must hold."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from bundler.model.bundle_path import BundlePath
from bundler.model.digest import Digest
from bundler.model.platform import Platform

if TYPE_CHECKING:
    from bundler.model.json_value import Json
    from bundler.model.rpm.nevra import Nevra
    from bundler.model.rpm.repo import RepoSpec
    from bundler.model.source_text import Position
    from bundler.rpm.solve.request import PackageSpec

# rpm's word -> what OCI calls the same machines
PLATFORMS = {
    "x86_64": Platform("linux", "amd64"),
    "aarch64": Platform("linux", "arm64"),
    "armv7hl": Platform("linux", "arm", "v7"),
    "i686": Platform("linux", "386"),
    "ppc64le": Platform("linux", "ppc64le"),
    "s390x": Platform("linux", "s390x"),
    "riscv64": Platform("linux", "riscv64"),
    "loongarch64": Platform("linux", "loong64"),
}


@dataclass(frozen=True, slots=True)
class InstalledList:
    """What the target has already.

    Arguments:
        path: the list's file, relative to the manifest, and where it lies in the bundle (which can so be rebuilt from
            itself).
        text: its content.
        packages: what it names, in the order of the file.
    """

    path: BundlePath
    text: str
    packages: tuple[Nevra, ...]

    def meaning(self) -> Json:
        """Return what it says: another content is another meaning."""
        return {"path": str(self.path), "digest": str(Digest.sha256(self.text.encode()))}


@dataclass(frozen=True, slots=True)
class RpmEntry:
    """One list item.

    Arguments:
        id: its path as written.
        path: the directory of the repository in the bundle.
        release: the target's release, for people; "" when not given.
        arch: the target's architecture, as rpm calls it.
        packages: the items of `packages`, variables expanded.
        installed: None for the full closure.
    """

    id: str
    position: Position
    path: BundlePath
    release: str
    arch: str
    repos: tuple[RepoSpec, ...]
    packages: tuple[PackageSpec, ...]
    installed: InstalledList | None = None
    weak_dependencies: bool = False
    multilib: bool = False
    roles: tuple[str, ...] = ()

    @property
    def key(self) -> str:
        """The directory."""
        return str(self.path)

    @property
    def platform(self) -> Platform:
        """The platform that the packages are for."""
        return PLATFORMS[self.arch]

    def meaning(self) -> Json:
        """Return what is asked for."""
        return {
            "path": str(self.path),
            "release": self.release,
            "arch": self.arch,
            "repos": [_repo_meaning(repo) for repo in self.repos],
            "packages": [spec.text for spec in self.packages],
            "installed": None if self.installed is None else self.installed.meaning(),
            "weak_dependencies": self.weak_dependencies,
            "multilib": self.multilib,
            "roles": list(self.roles),
        }

    def targets(self) -> tuple[BundlePath, ...]:
        """Return the one file that every repository has; the names of the others come with the lock."""
        return (BundlePath(f"{self.path}/repodata/repomd.xml"),)


def _repo_meaning(repo: RepoSpec) -> Json:
    return {
        "id": repo.id,
        "baseurl": list(repo.baseurls),
        "mirrorlist": repo.mirrorlist,
        "metalink": repo.metalink,
        "gpgkey": list(repo.gpgkeys),
        "gpgcheck": repo.gpgcheck,
        "repo_gpgcheck": repo.repo_gpgcheck,
        "priority": repo.priority,
        "cost": repo.cost,
        "include": list(repo.include),
        "exclude": list(repo.exclude),
        "modules": list(repo.modules),
    }
