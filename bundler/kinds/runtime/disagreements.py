"""Do the pins of an entry of `runtime:` answer it? Decides from the two alone. docs/formats.md, "Lock".

Which packages a runtime has is known to its lock only: there it is checked that each file lies where it belongs.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from bundler.kinds.differences import differences
from bundler.kinds.runtime.bytecode import outside_modules
from bundler.kinds.runtime.python_archive import INTERPRETER, mode_of
from bundler.model.artifact import HeldTo
from bundler.translation import tr

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from bundler.kinds.runtime.entry import RuntimeEntry, WantedRuntime
    from bundler.model.platform import Platform
    from bundler.model.runtime_artifact import RuntimeArtifact


def runtime_disagreements(
    entry: RuntimeEntry, pinned: Sequence[RuntimeArtifact], platforms: Sequence[Platform]
) -> Iterator[str]:
    """Yield, a line each, how runtimes are not what an entry asks for; arguments as for `Kind.disagreements`."""
    wanted = {
        item.key: item
        for item in entry.runtimes
        if not platforms or any(item.platform.matches(other) for other in platforms)
    }
    for artifact in pinned:
        if artifact.key not in wanted:
            yield tr("{key} is pinned and not asked for", key=artifact.key)
            continue
        lines = (*_differences(artifact, wanted[artifact.key], entry), *_misplaced(artifact))
        yield from (f"{artifact.key} {line}" for line in lines)
    keys = [artifact.key for artifact in pinned]
    yield from (tr("{key} is not pinned", key=key) for key in wanted if key not in keys)
    yield from (
        tr("{key} is pinned more than once", key=key) for key in sorted({key for key in keys if keys.count(key) > 1})
    )


def _differences(artifact: RuntimeArtifact, wanted: WantedRuntime, entry: RuntimeEntry) -> Iterator[str]:
    python = artifact.python
    compared: list[tuple[str, object, object]] = [
        ("platform", wanted.platform, artifact.platform),
        ("urls", wanted.python.urls, python.urls),
        ("held_to", wanted.python.held_to, HeldTo(python.held_to.by, python.held_to.detail)),
        (tr("url of its tool"), entry.tool, artifact.tool.url),
    ]
    promised = wanted.python.digest
    if promised is not None and promised.algorithm == python.download.digest.algorithm:
        compared.append(("download", promised, python.download.digest))
    return differences(compared)


def _misplaced(artifact: RuntimeArtifact) -> Iterator[str]:
    """Yield the files that lie where nothing of their kind belongs, or have a mode that nothing there has."""
    library = f"lib/python{'.'.join(artifact.python.version.split('.')[:2])}/"
    packages = f"{library}site-packages/"
    if INTERPRETER not in {file.path for file in artifact.python.files}:
        yield tr("has no {interpreter}", interpreter=INTERPRETER)
    for file in artifact.python.files:
        if file.path != INTERPRETER and (not file.path.startswith("lib/") or file.path.startswith(packages)):
            yield tr("has {path} as a part of Python", path=file.path)
    for wheel in (artifact.tool, *artifact.wheels):
        yield from (f"has {file.path} of {wheel.name}" for file in wheel.files if not file.path.startswith(packages))
    yield from (
        tr("has {path} with mode {mode:04o}", path=file.path, mode=file.mode)
        for file in artifact.files
        if file.mode != mode_of(file.path)
    )
    others = (file for _, files in artifact.dated_files for file in files)
    strays = outside_modules(artifact.bytecode, others, artifact.python.version)
    yield from (tr("has {path}, which belongs to no module", path=path) for path in strays)
