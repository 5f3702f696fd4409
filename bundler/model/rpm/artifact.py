"""RPMs as the lock pins them (docs/design.md, 4): one artifact per package, and one for what a repository adds to them.

The latter carries the small texts themselves (keys, groups, module streams, advisories): upstream rewrites these files
with every update and keeps no old ones, so a digest alone would not bring them back. See docs/adr/0009.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from bundler.model.artifact import HeldTo
from bundler.model.bundle_path import BundlePath
from bundler.model.digest import Blob, Digest
from bundler.model.json_value import Json, dump_canonical, want_count, want_flag, want_text
from bundler.model.manifest import ROLES
from bundler.model.rpm.nevra import Nevra
from bundler.model.rpm.version_order import compare_evr
from bundler.model.shared_values import shared_platform, shared_roles
from bundler.translation import tr

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from bundler.model.platform import Platform

# ends what a package was held to when nobody checked its own signature
UNCHECKED_SUFFIX = ", gpgcheck: false"
_PACKAGE, _REPOSITORY = "package", "repository"


@dataclass(frozen=True, slots=True)
class RpmArtifact:
    """A pinned package.

    Arguments:
        directory: the repository's directory in the bundle.
        repo: id of the upstream repository that it comes from.
        urls: where it comes from, the preferred one first; relative ones are relative to the manifest.
        checksum: what the upstream's metadata says of it, sha256 or sha512.
        held_to: what vouched for it: a signature with the key's id, or the metadata where `gpgcheck` is false.
        signed: whether clients may check its signature against the keys of `repo`.
        date: its build time in seconds since the epoch.
        summary: one line for people.
        platform: what the repository is for, also for a noarch package.
    """

    directory: BundlePath
    nevra: Nevra
    repo: str
    urls: tuple[str, ...]
    content: Blob
    checksum: Digest
    held_to: HeldTo
    signed: bool
    date: int
    summary: str
    platform: Platform
    roles: tuple[str, ...] = ROLES

    def __post_init__(self) -> None:
        if not self.urls:
            raise ValueError(tr("{nevra} has no url", nevra=self.nevra))
        if self.checksum.algorithm == "sha256" and self.checksum != self.content.digest:
            raise ValueError(tr("{nevra} has two different SHA-256", nevra=self.nevra))
        if self.date < 0:
            raise ValueError(tr("{nevra} is dated before 1970", nevra=self.nevra))
        if unknown := set(self.roles) - set(ROLES):
            raise ValueError(tr("{nevra} has unknown roles {unknown}", nevra=self.nevra, unknown=sorted(unknown)))
        _ = self.path

    @property
    def file_name(self) -> str:
        """NAME-VERSION-RELEASE.ARCH.rpm, whatever it is called upstream."""
        return self.nevra.file_name

    @property
    def path(self) -> BundlePath:
        """Where it lies in the bundle."""
        return BundlePath(f"{self.directory}/{self.file_name}")

    @property
    def key(self) -> str:
        """DIRECTORY/NAME.ARCH, the same for all versions."""
        return f"{self.directory}/{self.nevra.name}.{self.nevra.arch}"

    @property
    def aliases(self) -> tuple[str, ...]:
        """What else `--update` may call it: its name, its NEVRA, its repository."""
        return (self.nevra.name, f"{self.nevra.name}.{self.nevra.arch}", str(self.nevra), self.title, self.repo)

    @property
    def title(self) -> str:
        """DIRECTORY/NEVRA."""
        return f"{self.directory}/{self.nevra}"

    @property
    def version(self) -> str:
        """`[epoch:]version-release`."""
        return self.nevra.evr

    @property
    def series(self) -> str:
        """The key."""
        return self.key

    @property
    def label(self) -> str:
        """The version."""
        return self.version

    @property
    def label_order(self) -> Callable[[str, str], int]:
        """As RPM orders versions."""
        return compare_evr

    @property
    def size(self) -> int:
        """Bytes of the package."""
        return self.content.size

    @property
    def platforms(self) -> tuple[Platform, ...]:
        """The platform of its repository."""
        return (self.platform,)

    @property
    def blobs(self) -> tuple[Blob, ...]:
        """The package."""
        return (self.content,)

    @property
    def placed(self) -> Mapping[BundlePath, Blob]:
        """The package at its path."""
        return {self.path: self.content}

    def encode(self) -> Json:
        """Return its JSON object in the lock."""
        return {
            "type": _PACKAGE,
            "directory": str(self.directory),
            "nevra": str(self.nevra),
            "repo": self.repo,
            "urls": list(self.urls),
            **self.content.encode(),
            "checksum": str(self.checksum),
            "held_to": self.held_to.encode(),
            "signed": self.signed,
            "date": self.date,
            "summary": self.summary,
            "platform": str(self.platform),
            "roles": list(self.roles),
        }


@dataclass(frozen=True, slots=True)
class RepoOrigin:
    """An upstream repository that packages were taken from.

    Arguments:
        urls: its canonical addresses.
        gpgcheck: whether its packages' signatures were checked, and are checked by clients.
        keys: its public keys, armored, as clients import them.
    """

    id: str
    urls: tuple[str, ...]
    gpgcheck: bool
    keys: tuple[str, ...]

    def encode(self) -> Json:
        """Return its JSON object in the lock."""
        keys: list[Json] = [_lines(key) for key in self.keys]
        return {"id": self.id, "urls": list(self.urls), "gpgcheck": self.gpgcheck, "keys": keys}

    @classmethod
    def decode(cls, value: Any) -> RepoOrigin:
        """Read what `encode` wrote."""
        return cls(
            want_text(value["id"]),
            tuple(want_text(url) for url in value["urls"]),
            want_flag(value["gpgcheck"]),
            tuple(_text(key) for key in value["keys"]),
        )


@dataclass(frozen=True, slots=True)
class RepoArtifact:
    """What a repository holds beside its packages.

    Arguments:
        directory: the repository's directory in the bundle.
        release, arch: the target's.
        origins: the upstream repositories that gave packages, sorted by id.
        comps, modules, updateinfo: uncompressed documents, only what concerns the packages in the bundle; "" for none.
        otherwise: package specs that no package here answers by its name: what they name is provided, obsoleted or
            there already.
        installed_path, installed: the list of what the target has already and its text; both "" when there is none.
    """

    directory: BundlePath
    release: str
    arch: str
    platform: Platform
    origins: tuple[RepoOrigin, ...]
    comps: str = ""
    modules: str = ""
    updateinfo: str = ""
    installed_path: str = ""
    installed: str = ""
    otherwise: tuple[str, ...] = ()
    roles: tuple[str, ...] = ROLES

    def __post_init__(self) -> None:
        if self.installed_path:
            BundlePath(self.installed_path)
        if unknown := set(self.roles) - set(ROLES):
            raise ValueError(
                tr("{directory} has unknown roles {unknown}", directory=self.directory, unknown=sorted(unknown))
            )

    @property
    def key(self) -> str:
        """The directory."""
        return str(self.directory)

    @property
    def version(self) -> str:
        """A digest of all that it says."""
        return str(Digest.sha256(dump_canonical(self.encode())))

    @property
    def size(self) -> int:
        """Bytes of its texts."""
        texts = (self.comps, self.modules, self.updateinfo, self.installed, *self._keys)
        return sum(len(text.encode()) for text in texts)

    @property
    def platforms(self) -> tuple[Platform, ...]:
        """The platform of the repository."""
        return (self.platform,)

    @property
    def held_to(self) -> HeldTo:
        """Keys are taken from where the manifest says, as they are found."""
        return HeldTo("first-use")

    @property
    def blobs(self) -> tuple[Blob, ...]:
        """Nothing: the lock itself holds the texts."""
        return ()

    @property
    def placed(self) -> Mapping[BundlePath, Blob]:
        """Nothing: what it adds to the packages is made anew from the texts."""
        return {}

    @property
    def _keys(self) -> tuple[str, ...]:
        return tuple(key for origin in self.origins for key in origin.keys)

    def encode(self) -> Json:
        """Return its JSON object in the lock; texts are lists of lines, so that a diff reads well."""
        texts = {
            "comps": self.comps,
            "modules": self.modules,
            "updateinfo": self.updateinfo,
            "installed": self.installed,
        }
        return {
            "type": _REPOSITORY,
            "directory": str(self.directory),
            "release": self.release,
            "arch": self.arch,
            "platform": str(self.platform),
            "origins": [origin.encode() for origin in self.origins],
            **{name: _lines(text) for name, text in texts.items() if text},
            **({"installed_path": self.installed_path} if self.installed_path else {}),
            **({"otherwise": list(self.otherwise)} if self.otherwise else {}),
            "roles": list(self.roles),
        }


def decode_rpm_artifact(value: Any) -> RpmArtifact | RepoArtifact:
    """Read what either of them encoded; ValueError, KeyError or TypeError when it is something else."""
    kind = value["type"]
    if kind == _PACKAGE:
        return _decode_package(value)
    if kind == _REPOSITORY:
        return _decode_repository(value)
    raise ValueError(
        tr("{kind!r} is neither {package} nor {repository}", kind=kind, package=_PACKAGE, repository=_REPOSITORY)
    )


def _decode_package(value: Any) -> RpmArtifact:
    return RpmArtifact(
        directory=BundlePath(want_text(value["directory"])),
        nevra=Nevra.parse(want_text(value["nevra"])),
        repo=want_text(value["repo"]),
        urls=tuple(want_text(url) for url in value["urls"]),
        content=Blob.decode(value),
        checksum=Digest.parse(want_text(value["checksum"])),
        held_to=HeldTo.decode(value["held_to"]),
        signed=want_flag(value["signed"]),
        date=want_count(value["date"]),
        summary=want_text(value["summary"]),
        platform=shared_platform(value["platform"]),
        roles=shared_roles(tuple(value["roles"])),
    )


def _decode_repository(value: Any) -> RepoArtifact:
    return RepoArtifact(
        directory=BundlePath(want_text(value["directory"])),
        release=want_text(value["release"]),
        arch=want_text(value["arch"]),
        platform=shared_platform(value["platform"]),
        origins=tuple(RepoOrigin.decode(origin) for origin in value["origins"]),
        comps=_text(value.get("comps", [])),
        modules=_text(value.get("modules", [])),
        updateinfo=_text(value.get("updateinfo", [])),
        installed_path=want_text(value.get("installed_path", "")),
        installed=_text(value.get("installed", [])),
        otherwise=tuple(want_text(text) for text in value.get("otherwise", ())),
        roles=shared_roles(tuple(value["roles"])),
    )


def _lines(text: str) -> list[Json]:
    # not splitlines(): only what `_text` puts back
    return list[Json](text.split("\n"))


def _text(lines: Any) -> str:
    if not isinstance(lines, list):
        raise TypeError(f"{lines!r} is not a list of lines")
    return "\n".join(want_text(line) for line in lines)
