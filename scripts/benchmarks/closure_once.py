"""The parts of the closure benchmark that want a process of their own: the repository is made, or solved once.

Solving reads metadata as a store holds them, compressed. Making is apart because the memory of a measuring process
would count as its children's.
"""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path
from typing import BinaryIO

from bundler.errors import ManifestError
from bundler.manifest.yaml_documents import read_documents
from bundler.model.rpm.repo import RepoSpec
from bundler.model.source_text import Position
from bundler.rpm.metadata.plain_file import open_plain
from bundler.rpm.solve.request import PackageSpec, SolvableRepo, SolveRequest
from bundler.rpm.solve.solving import solve

SEED = 7
PACKAGES = 20_000
SPECS = 12
STEP = 397
ARCH = "x86_64"


def make(repository: Path) -> None:
    """Write a repository and beside it `specs`: names that can be installed together, one per line."""
    # what only this needs would count as memory and time of what is measured
    from tests.integration.rpm_repositories import Shape, random_packages, write_repository

    # some sixty files per package, and a few hundred of all of them that others depend on, as in Fedora
    shape = Shape(names=12_500, capabilities=4_000, files=60, trouble=0, asked_programs=150)
    packages = random_packages(SEED, shape)[:PACKAGES]
    write_repository(repository, packages)
    names = sorted({package.name for package in packages})
    specs: list[str] = []
    # steps of a prime number come by packages of every kind
    for name in names[::STEP]:
        one_more = [*specs, name]
        try:
            closure(repository, one_more)
        except ManifestError:
            continue
        specs = one_more
        if len(specs) == SPECS:
            break
    (repository / "specs").write_text("\n".join([*specs, ""]))


def closure(repository: Path, specs: list[str]) -> int:
    """Solve package specs; return how many packages that takes."""
    with tempfile.TemporaryDirectory(dir=repository) as scratch:

        def open_record(kind: str) -> BinaryIO | None:
            path = repository / "repodata" / f"{kind}.xml.gz"
            if not path.exists():
                return None
            with path.open("rb") as source:
                return open_plain(source, directory=Path(scratch), where=str(path))

        repo = SolvableRepo(RepoSpec("bench", baseurls=(repository.as_uri(),)), open_record)
        wanted = tuple(PackageSpec(text, Position("bench.yaml", 1, 1)) for text in specs)
        return len(solve([repo], SolveRequest(ARCH, wanted), read_documents=read_documents).packages)


if __name__ == "__main__":
    place, *names_or_paths = sys.argv[1:]
    if names_or_paths:
        print(closure(Path(place), names_or_paths))
    else:
        make(Path(place))
