"""Module metadata (modules.yaml): documents -> streams and defaults. Pure.

Follows libmodulemd's yaml_specs/modulemd_stream_v2.yaml, modulemd_stream_v1.yaml and modulemd_defaults_v1.yaml. Takes
the documents as plain values: only `bundler.manifest` reads YAML.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, BinaryIO

from bundler.rpm.metadata.xml_document import invalid_metadata
from bundler.translation import tr

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping

    # yields lists and mappings in which every scalar is text, numbers too; raises ValueError when it is not YAML
    DocumentReader = Callable[[BinaryIO], Iterable[object]]

_UNNAMEABLE = frozenset(" \"'\\:")


@dataclass(frozen=True, slots=True)
class ModuleNeed:
    """A module that a stream needs: any of `streams` (all when empty), none of `refused`."""

    module: str
    streams: tuple[str, ...]
    refused: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class ModuleStream:
    """One build of a stream of a module.

    Arguments:
        context: distinguishes builds of one stream for different streams of other modules.
        artifacts: full names of its packages, `name-epoch:version-release.arch`, source packages included.
    """

    module: str
    stream: str
    version: int
    context: str
    arch: str
    needs: tuple[ModuleNeed, ...]
    artifacts: tuple[str, ...]

    @property
    def name(self) -> str:
        """Module and stream in the form of the manifest, `module:stream`."""
        return f"{self.module}:{self.stream}"


@dataclass(frozen=True, slots=True, order=True)
class DefaultStream:
    """The stream of a module that is active unless another one is enabled; the newest `modified` counts."""

    module: str
    modified: int
    stream: str


@dataclass(frozen=True, slots=True)
class ModuleIndex:
    """What one or several modules.yaml say."""

    streams: tuple[ModuleStream, ...]
    defaults: tuple[DefaultStream, ...]

    def streams_of(self, module: str) -> tuple[str, ...]:
        """Return the names of a module's streams."""
        return tuple(sorted({build.stream for build in self.streams if build.module == module}))

    def default_streams(self) -> Mapping[str, str]:
        """Return module -> default stream; a module whose newest documents disagree has none."""
        newest: dict[str, int] = {}
        for default in self.defaults:
            newest[default.module] = max(default.modified, newest.get(default.module, 0))
        found: dict[str, set[str]] = {}
        for default in self.defaults:
            if default.modified == newest[default.module]:
                found.setdefault(default.module, set()).add(default.stream)
        return {module: min(streams) for module, streams in sorted(found.items()) if len(streams) == 1 and any(streams)}


def read_modules(stream: BinaryIO, read_documents: DocumentReader, where: str) -> ModuleIndex:
    """Read modules.yaml; SourceError (REPO_METADATA_INVALID) when it is damaged. Other documents are ignored."""
    streams, defaults = [], []
    try:
        for document in read_documents(stream):
            data = _mapping(_mapping(document).get("data", {}))
            kind = _mapping(document).get("document")
            if kind == "modulemd":
                streams.append(_stream(data))
            elif kind == "modulemd-defaults":
                modified = int(_text(data.get("modified", "0")))
                defaults.append(DefaultStream(_text(data["module"]), modified, _text(data.get("stream", ""))))
    except KeyError as error:
        raise invalid_metadata(tr("cannot be read: a document lacks {error}", error=error), where) from error
    except ValueError as error:
        raise invalid_metadata(tr("cannot be read: {error}", error=error), where) from error
    return ModuleIndex(tuple(streams), tuple(defaults))


def _stream(data: Mapping[str, object]) -> ModuleStream:
    artifacts = _mapping(data.get("artifacts", {}))
    return ModuleStream(
        module=_name(data["name"]),
        stream=_name(data["stream"]),
        version=int(_text(data.get("version", "0"))),
        context=_text(data.get("context", "")),
        arch=_text(data.get("arch", "noarch")),
        needs=tuple(_needs(data.get("dependencies", []))),
        artifacts=tuple(_texts(artifacts.get("rpms", []))),
    )


def _needs(dependencies: object) -> Iterator[ModuleNeed]:
    """Yield the needs at run time; version 1 has one mapping of module -> stream, version 2 a list of them."""
    for dependency in dependencies if isinstance(dependencies, list) else [dependencies]:
        for module, streams in _mapping(_mapping(dependency).get("requires", {})).items():
            wanted = _texts(streams if isinstance(streams, list) else [streams])
            yield ModuleNeed(
                module,
                tuple(stream for stream in wanted if not stream.startswith("-")),
                tuple(stream[1:] for stream in wanted if stream.startswith("-")),
            )


def _mapping(value: object) -> Mapping[str, object]:
    # a value that is empty in the file is an empty text
    if value == "":
        return {}
    if not isinstance(value, dict):
        raise ValueError(tr("a mapping is wanted where {shown} stands", shown=_shown(value)))
    return value


def _texts(value: object) -> list[str]:
    if value == "":
        return []
    if not isinstance(value, list):
        raise ValueError(tr("a list is wanted where {shown} stands", shown=_shown(value)))
    return [_text(item) for item in value]


def _text(value: object) -> str:
    if not isinstance(value, str):
        raise ValueError(tr("a text is wanted where {shown} stands", shown=_shown(value)))
    return value


def _name(value: object) -> str:
    """Return a name that is safe in messages and in other documents."""
    text = _text(value)
    if not text.isprintable() or _UNNAMEABLE.intersection(text):
        raise ValueError(tr("{shown} is no name of a module or stream", shown=_shown(value)))
    return text


def _shown(value: object) -> str:
    return repr(value)[:80]
