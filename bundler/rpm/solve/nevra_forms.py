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
    from collections.abc import Iterable, Iterator, Mapping, Sequence

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


def unanswered_names(texts: Iterable[str], packages: Iterable[Nevra]) -> tuple[str, ...]:
    """Return the texts that are no package's name in any reading, and no glob over a full name, in their order."""
    by_name: dict[str, list[Nevra]] = {}
    for package in packages:
        by_name.setdefault(package.name, []).append(package)
    return tuple(text for text in texts if not _names_any(text, by_name))


def _names_any(text: str, by_name: Mapping[str, Sequence[Nevra]]) -> bool:
    for form in nevra_forms(text):
        names = [name for name in by_name if fnmatchcase(name, form.name)] if is_glob(form.name) else [form.name]
        if any(form.fits(package) for name in names for package in by_name.get(name, ())):
            return True
    return is_glob(text) and any(fnmatchcase(str(one), text) for named in by_name.values() for one in named)


def is_glob(text: str) -> bool:
    """Tell whether a text has characters that a shell would expand."""
    return any(character in text for character in "*?[")


def is_path(text: str) -> bool:
    """Tell whether a text names files."""
    return text.startswith(("/", "*/"))


def _fits(pattern: str, part: str) -> bool:
    return not pattern or fnmatchcase(part, pattern)
