"""The NEVRA forms of a package spec, in the order in which dnf tries them. Pure.

As in libdnf (libdnf/nevra.cpp; libdnf/hy-subject.cpp, `HY_FORMS_MOST_SPEC`): the first form that matches any package
counts, so `docker-ce-20.10.*` is a version of docker-ce only when no package has that whole text as its name.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

    from bundler.model.rpm.nevra import Nevra
    from bundler.rpm.solve.package_pool import FullName

_NAME = r"(?P<name>[^:(/=<> ]+)"
_EPOCH = r"(?:(?P<epoch>[0-9]{1,10}):)?"
_VERSION = r"(?P<version>[^-:(/=<> ]+)"
_RELEASE = r"(?P<release>[^-:(/=<> ]+)"
_ARCH = r"(?P<arch>[^-:.(/=<> ]+)"
_FORMS = tuple(
    re.compile(form)
    for form in (
        rf"{_NAME}-{_EPOCH}{_VERSION}-{_RELEASE}\.{_ARCH}",
        rf"{_NAME}\.{_ARCH}",
        _NAME,
        rf"{_NAME}-{_EPOCH}{_VERSION}-{_RELEASE}",
        rf"{_NAME}-{_EPOCH}{_VERSION}",
    )
)


@dataclass(frozen=True, slots=True)
class NevraForm:
    """One reading of a text; every part except the epoch may be a shell glob, absent parts are empty or None."""

    name: str
    epoch: int | None = None
    version: str = ""
    release: str = ""
    arch: str = ""

    @property
    def is_just_name(self) -> bool:
        """Whether only the name is given; only then may an obsoleter replace the named package."""
        return self.epoch is None and not (self.version or self.release or self.arch)

    def fits(self, package: FullName | Nevra) -> bool:
        """Tell whether a package matches; its name is not compared."""
        return (
            (self.epoch is None or package.epoch == self.epoch)
            and _fits(self.version, package.version)
            and _fits(self.release, package.release)
            and _fits(self.arch, package.arch)
        )


def nevra_forms(text: str) -> Iterator[NevraForm]:
    """Yield the readings of a text, the preferred one first; none for a capability or a path."""
    for form in _FORMS:
        if match := form.fullmatch(text):
            parts = match.groupdict()
            epoch = parts.pop("epoch", None)
            yield NevraForm(epoch=int(epoch) if epoch else None, **parts)


def has_name_forms(text: str) -> bool:
    """Tell whether a text may be a package's name; otherwise it is a capability, a path or a group."""
    return not text.startswith("@") and not is_path(text) and next(nevra_forms(text), None) is not None


def names_package(text: str, package: FullName | Nevra) -> bool:
    """Tell whether a text is a package's name in any reading, or a glob over its full name."""
    by_form = any(fnmatchcase(package.name, form.name) and form.fits(package) for form in nevra_forms(text))
    return by_form or (is_glob(text) and fnmatchcase(str(package), text))


def is_glob(text: str) -> bool:
    """Tell whether a text has characters that a shell would expand."""
    return any(character in text for character in "*?[")


def is_path(text: str) -> bool:
    """Tell whether a text names files."""
    return text.startswith(("/", "*/"))


def _fits(pattern: str, part: str) -> bool:
    return not pattern or fnmatchcase(part, pattern)
