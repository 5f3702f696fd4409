"""What the package databases of systems tell: one package, and which system it is. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from collections.abc import Iterator

# as the types of package URLs are called
System = Literal["deb", "apk", "rpm"]


@dataclass(frozen=True, slots=True, order=True)
class OsPackage:
    """A package that is installed in an image.

    Arguments:
        version: in full; of RPM `version-release`, whose epoch stands apart.
        source: the source package that it was built from, "" where that is not told or is the same.
        license_text: in the words of its database, "" where that has none.
    """

    system: System
    name: str
    version: str
    arch: str = ""
    epoch: int = 0
    source: str = ""
    license_text: str = ""


@dataclass(frozen=True, slots=True)
class OsRelease:
    """A system by its own words, both "" where it has none (os-release(5): ID and VERSION_ID)."""

    id: str = ""
    version: str = ""

    @property
    def distro(self) -> str:
        """As package URLs name it: `debian-12`."""
        return f"{self.id}-{self.version}" if self.id and self.version else self.id


class UnreadableDatabaseError(Exception):
    """A package database that cannot be read, and why; whoever asked for it says so in the bill."""


def text_lines(data: bytearray) -> Iterator[str]:
    """Yield the lines of a text one by one, without their ends; what is no UTF-8 in it is replaced."""
    begin = 0
    while begin < len(data):
        end = data.find(b"\n", begin)
        end = len(data) if end < 0 else end
        yield data[begin:end].decode(errors="replace")
        begin = end + 1


def read_os_release(data: bytearray) -> OsRelease:
    """Read an os-release file; whatever in it is no assignment is passed over."""
    values: dict[str, str] = {}
    for line in text_lines(data):
        key, equals, value = line.strip().partition("=")
        if equals:
            values[key] = value.strip("\"'")
    return OsRelease(values.get("ID", "").lower(), values.get("VERSION_ID", ""))
