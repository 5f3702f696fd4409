"""Random repositories of packages that exist only as metadata, written where dnf can read them.

Everything comes from a seed: equal seeds, equal repositories, on any machine.
"""

from __future__ import annotations

import gzip
import hashlib
import random
from dataclasses import dataclass
from typing import TYPE_CHECKING

from tests.fakes.rpm_metadata import BUILT_AT, Package, filelists_xml, primary_xml

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from pathlib import Path

_VERSIONS = ("0.9", "1.0~beta2", "1.0~rc1", "1.0", "1.0^20200101git", "1.0.1", "1.2", "1.10", "2", "2.0a", "2.0b", "10")
_RELEASES = ("1", "1.el8", "2.el8", "10.el8_4", "3~pre", "3")
_DIRECTORIES = ("/usr/bin", "/etc", "/usr/share", "/usr/libexec")


@dataclass(frozen=True, slots=True)
class Shape:
    """How a random repository looks.

    Arguments:
        names: how many names there are; some come in several versions.
        capabilities: how many capabilities there are that several packages provide.
        files: how many files a package has beside its own program.
        trouble: in percent, how many packages conflict with, obsolete, or want one version of another.
        asked_programs: of how many packages, the first ones, others depend on programs by path (as Fedora's do on a
            few hundred); None for all, and then on files outside of what primary metadata list too.
    """

    names: int
    capabilities: int = 20
    files: int = 3
    trouble: int = 6
    asked_programs: int | None = None


def random_packages(seed: int, shape: Shape) -> list[Package]:
    """Return the packages of a repository. Most need packages that were made before them; a few need later ones."""
    maker = _Maker(random.Random(seed), shape)
    return [package for number in range(shape.names) for package in maker.versions(number)]


def write_repository(directory: Path, packages: Sequence[Package], extra: Mapping[str, bytes] | None = None) -> str:
    """Write `repodata` below a directory, gzip, and return the repository's file:// URL.

    Arguments:
        extra: further records by kind, plain: `group`, `modules`.
    """
    records = {"primary": primary_xml(packages), "filelists": filelists_xml(packages), **(extra or {})}
    repodata = directory / "repodata"
    repodata.mkdir(parents=True)
    entries = []
    for kind, plain in records.items():
        name = f"{kind}.{'yaml' if kind == 'modules' else 'xml'}.gz"
        data = gzip.compress(plain, 1, mtime=0)
        (repodata / name).write_bytes(data)
        entries.append(
            f'<data type="{kind}"><checksum type="sha256">{hashlib.sha256(data).hexdigest()}</checksum>'
            f'<open-checksum type="sha256">{hashlib.sha256(plain).hexdigest()}</open-checksum>'
            f'<location href="repodata/{name}"/><timestamp>{BUILT_AT}</timestamp>'
            f"<size>{len(data)}</size><open-size>{len(plain)}</open-size></data>"
        )
    (repodata / "repomd.xml").write_text(
        f'<?xml version="1.0" encoding="UTF-8"?>\n<repomd xmlns="http://linux.duke.edu/metadata/repo">'
        f"<revision>{BUILT_AT}</revision>{''.join(entries)}</repomd>\n"
    )
    return directory.resolve().as_uri()


class _Maker:
    def __init__(self, chance: random.Random, shape: Shape) -> None:
        self._chance = chance
        self._shape = shape

    def versions(self, number: int) -> list[Package]:
        """Return the packages of one name."""
        chance = self._chance
        wanted = chance.choice((1, 1, 1, 2, 3))
        evrs = {
            (chance.choice((0, 0, 0, 0, 1, 2)), chance.choice(_VERSIONS), chance.choice(_RELEASES))
            for _ in range(wanted)
        }
        return [self._package(number, *evr) for evr in sorted(evrs)]

    def _package(self, number: int, epoch: int, version: str, release: str) -> Package:
        name = _name(number)
        trouble = self._shape.trouble
        requires = [self._near(number) for _ in range(self._chance.choice((0, 1, 1, 2, 3)))]
        requires += self._some(trouble, lambda: self._versioned(number))
        requires += self._some(15, self._capability)
        requires += self._some(12, lambda: self._path(number))
        requires += self._some(8, lambda: self._rich(number))
        return Package(
            name,
            version,
            release,
            epoch,
            "noarch" if number % 4 == 0 else "x86_64",
            provides=tuple(f"{capability} = {version}" for capability in self._some(20, self._capability)),
            requires=tuple(dict.fromkeys(requires)),
            conflicts=tuple(self._some(trouble, lambda: self._versioned(number))),
            obsoletes=tuple(self._some(trouble // 2, lambda: f"{self._near(number)} < {self._version()}")),
            recommends=tuple(self._some(20, lambda: self._near(number))),
            supplements=tuple(self._some(3, lambda: self._near(number))),
            description=f"{name} does what a package of its name is expected to do. " * 5,
            files=(f"/usr/bin/{name}", *(f"{self._directory(name, i)}/{name}-{i}" for i in range(self._shape.files))),
        )

    def _some(self, percent: int, make: Callable[[], str]) -> list[str]:
        return [make()] if self._chance.randrange(100) < percent else []

    def _near(self, number: int) -> str:
        """Return the name of a package that is most often one of the forty before."""
        if number == 0 or self._chance.randrange(100) < 4:
            return _name(self._chance.randrange(self._shape.names))
        return _name(max(0, number - 1 - self._chance.randrange(40)))

    def _version(self) -> str:
        return self._chance.choice(_VERSIONS)

    def _versioned(self, number: int) -> str:
        return f"{self._near(number)} {self._chance.choice(('<', '>=', '>', '='))} {self._version()}"

    def _capability(self) -> str:
        return f"virtual{self._chance.randrange(self._shape.capabilities)}"

    def _directory(self, name: str, number: int) -> str:
        # most files of a package with many are its data
        return self._chance.choice(_DIRECTORIES) if number < len(_DIRECTORIES) else f"/usr/share/{name}/{number % 7}"

    def _path(self, number: int) -> str:
        if (asked := self._shape.asked_programs) is not None:
            return f"/usr/bin/{_name(self._chance.randrange(asked))}"
        name = self._near(number)
        return self._chance.choice((f"/usr/bin/{name}", f"/usr/bin/{name}", f"/usr/libexec/{name}-0"))

    def _rich(self, number: int) -> str:
        one, two, three = (self._near(number) for _ in range(3))
        return self._chance.choice(
            (
                f"({one} if {two})",
                f"({one} or {two})",
                f"({one} and {two})",
                f"({one} if {two} else {three})",
                f"({one} unless {two})",
                f"({one} with {self._capability()})",
            )
        )


def _name(number: int) -> str:
    return f"{'lib' if number % 3 == 0 else 'app'}{number}{'-devel' if number % 7 == 0 else ''}"
