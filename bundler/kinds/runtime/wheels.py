"""Wheels (PyPA, "Binary distribution format"): what they are called, need, and where their files land. Pure."""

from __future__ import annotations

import re
from dataclasses import dataclass
from email.parser import BytesParser
from email.policy import compat32
from typing import TYPE_CHECKING

from bundler.errors import ErrorId, SourceError
from bundler.kinds.runtime.pruning import is_needed_of_wheel
from bundler.translation import tr

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

_METADATA = re.compile(r"[^/]+\.dist-info/METADATA")
# what of a wheel's `.data` lies beside its packages; scripts, headers and data do not
_DATA = re.compile(r"[^/]+\.data/(?:(?:purelib|platlib)/(.+)|.*)")
# a wheel that was made here: the back-end's own version would change bytes that nobody reads
_OF_THE_BUILD = re.compile(r"[^/]+\.dist-info/(?:WHEEL|RECORD)")


@dataclass(frozen=True, slots=True)
class WheelMetadata:
    """What METADATA says; `requires` are the lines of Requires-Dist, markers included."""

    name: str
    version: str
    requires: tuple[str, ...]


def wheel_landing(names: Iterable[str], site_packages: str, *, built_here: bool = False) -> Mapping[str, str]:
    """Return name of a member -> its path below the runtime's directory, for those that a site needs.

    Arguments:
        built_here: whether the wheel was made of a release of sources.
    """
    landing = {}
    for name in names:
        data = _DATA.fullmatch(name)
        path = (data.group(1) or "") if data else name
        if path and is_needed_of_wheel(path) and not (built_here and _OF_THE_BUILD.fullmatch(path)):
            landing[name] = site_packages + path
    return landing


def metadata_member(names: Iterable[str], where: str) -> str:
    """Return the member that holds the metadata; SourceError (SOURCE_INVALID) unless there is exactly one."""
    found = [name for name in names if _METADATA.fullmatch(name)]
    if len(found) != 1:
        raise no_wheel(tr("holds {count} files *.dist-info/METADATA", count=len(found)), where)
    return found[0]


def read_metadata(data: bytes, where: str) -> WheelMetadata:
    """Read METADATA (PyPA, "Core metadata"); SourceError (SOURCE_INVALID) when it has no name or version."""
    fields = BytesParser(policy=compat32).parsebytes(data, headersonly=True)
    name, version = str(fields.get("Name", "")), str(fields.get("Version", ""))
    if not name or not version:
        raise no_wheel(tr("has metadata without a name or a version"), where)
    return WheelMetadata(name, version, tuple(map(str, fields.get_all("Requires-Dist", ()))))


def no_wheel(what: str, where: str) -> SourceError:
    """Return the error for a file that is no wheel."""
    return SourceError(
        ErrorId.SOURCE_INVALID,
        what,
        where=where,
        remedy=tr("Name a wheel, a file NAME-VERSION-….whl, or leave it out."),
    )
