"""The running installation of this tool, packed again into a wheel from its own record; the same bytes each time.

Its members are stored and have one date, so that neither a clock nor a version of zlib is in them. An editable
installation's record names no modules: there all files of its packages are taken, which are those of `setup.cfg`.
"""

from __future__ import annotations

import base64
import hashlib
import importlib.util
import io
import zipfile
from importlib.metadata import Distribution, distributions
from pathlib import Path
from typing import TYPE_CHECKING

from bundler.errors import ToolMissingError
from bundler.translation import tr

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

DISTRIBUTION = "kubeedge-bundler"
_WHEEL = b"Wheel-Version: 1.0\nGenerator: kubeedge-bundler\nRoot-Is-Purelib: true\nTag: py3-none-any\n"
# what an installer adds, and what is made anew
_OF_THE_INSTALLATION = frozenset({"RECORD", "INSTALLER", "REQUESTED", "direct_url.json", "WHEEL"})
_MODE = 0o100644 << 16


class RunningInstallation:
    """See `Installation`: the distribution of this name that this Python finds."""

    def files(self) -> Mapping[str, bytes]:
        """Return the content of its wheel; ToolMissingError where this tool runs without being installed."""
        # a checkout has metadata beside it too, which are of no installation and have no RECORD
        known = (item for item in distributions(name=DISTRIBUTION) if item.read_text("RECORD") is not None)
        found = next(known, None)
        if found is None:
            raise _not_installed()
        record = {name: path for name, path in _recorded(found) if ".dist-info/" in name}
        packages = {name: path for name, path in _recorded(found) if ".dist-info/" not in name}
        if not packages:
            packages = dict(_of_packages(found))
        if not packages or not record:
            raise _not_installed()
        files = {name: path.read_bytes() for name, path in sorted({**packages, **record}.items())}
        [info] = {name.partition("/")[0] for name in record}
        return {**files, f"{info}/WHEEL": _WHEEL}


def pack_wheel(files: Mapping[str, bytes]) -> bytes:
    """Return a wheel with these files and a RECORD of them (PyPA, "Binary distribution format").

    Raises ValueError when they have no directory of metadata.
    """
    [info] = {name.partition("/")[0] for name in files if ".dist-info/" in name}
    record = f"{info}/RECORD"
    lines = [f"{name},sha256={_urlsafe(data)},{len(data)}\n" for name, data in sorted(files.items())]
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_STORED) as archive:
        for name, data in [*sorted(files.items()), (record, "".join([*lines, f"{record},,\n"]).encode())]:
            member = zipfile.ZipInfo(name, (1980, 1, 1, 0, 0, 0))
            member.create_system, member.external_attr = 3, _MODE
            archive.writestr(member, data)
    return out.getvalue()


def wheel_name(name: str, version: str) -> str:
    """Return the file name of such a wheel."""
    return f"{name.replace('-', '_')}-{version}-py3-none-any.whl"


def _recorded(found: Distribution) -> Iterator[tuple[str, Path]]:
    """Yield name and file of what the wheel had: neither programs nor what Python or an installer made since."""
    top = set((found.read_text("top_level.txt") or "").split())
    for path in found.files or ():
        name = str(path)
        first, _, rest = name.partition("/")
        ours = first in top or (first.endswith(".dist-info") and rest not in _OF_THE_INSTALLATION)
        if rest and ours and "__pycache__" not in path.parts:
            yield name, Path(str(found.locate_file(path)))


def _of_packages(found: Distribution) -> Iterator[tuple[str, Path]]:
    for top in (found.read_text("top_level.txt") or "").split():
        spec = importlib.util.find_spec(top)
        for place in (spec.submodule_search_locations or ()) if spec else ():
            root = Path(place)
            for path in sorted(root.rglob("*")):
                name = path.relative_to(root.parent).as_posix()
                if path.is_file() and "__pycache__" not in path.parts and not name.endswith(".pyc"):
                    yield name, path


def _urlsafe(data: bytes) -> str:
    return base64.urlsafe_b64encode(hashlib.sha256(data).digest()).decode().rstrip("=")


def _not_installed() -> ToolMissingError:
    return ToolMissingError(
        tr("{distribution} itself", distribution=DISTRIBUTION),
        package=tr("{distribution} with pip, or name a wheel of it as 'tool'", distribution=DISTRIBUTION),
        needed_for=tr("a runtime, which brings this tool along"),
    )
