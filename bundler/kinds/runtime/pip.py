"""pip as the index of packages: its own settings say which index, mirrors and certificates are used.

Owns how pip is asked and what its answers mean; what is needed is decided in `requirements`, which file is taken in
`package_choice`. pip runs as a program (its documentation refuses other uses), with the Python that runs this one.
"""

from __future__ import annotations

import os
import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote

from bundler.errors import ErrorId, IntegrityError, SourceError, ToolMissingError
from bundler.kinds.runtime.interface import BuiltWheel, FoundPackage, NoFittingWheelError, WantedWheel
from bundler.kinds.runtime.programs import RanProgram, run
from bundler.model.digest import Digest
from bundler.model.json_value import load_foreign
from bundler.net.redact import redact_text
from bundler.translation import tr

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from bundler.kinds.runtime.requirements import Target
    from bundler.model.runtime_artifact import PinnedWheel

# glibc 2.17 and everything older: PEP 600 (manylinux_2_17 and below), PEP 599, 571 and 513 (their former names)
_PLATFORMS = (
    *(f"manylinux_2_{minor}" for minor in range(17, 4, -1)),
    *("manylinux2014", "manylinux2010", "manylinux1"),
)
_ANY_MACHINE = re.compile(r"-py3(?:\.\w+)*-none-any\.whl|-py2\.py3-none-any\.whl")
_UNANSWERED = re.compile(r"^ERROR: No matching distribution found for (.+?)(?: \(from .*)?$", re.MULTILINE)
_OFFLINE = re.compile(r"Retrying \(Retry\(|Could not fetch URL|NewConnectionError|ConnectTimeoutError|SSLError")
_SKIPPED = re.compile(r"Skipping link: none of the wheel's tags .*: \S*/([^/\s#]+\.whl)")
_NO_PIP = "No module named pip"
_TOO_OLD = "no such option"
_OTHER_BYTES = "DO NOT MATCH THE HASHES"
_MOST_OFFERS = 6
_LINES_SHOWN = 6


@dataclass(frozen=True, slots=True)
class Pip:
    """See `PackageIndex`.

    Arguments:
        python: the Python whose pip it is.
        environment: what pip reads its settings from.
    """

    python: str
    environment: Mapping[str, str] = field(default_factory=lambda: os.environ)

    def resolve(self, requirements: Sequence[str], target: Target, directory: Path) -> tuple[FoundPackage, ...]:
        """Ask for a dry run and its report (pip documentation, "Installation Report")."""
        report = directory / "report.json"
        command = ["install", "--quiet", "--dry-run", "--ignore-installed", "--report", str(report)]
        command += [*_fitting(target), "--target", str(directory / "nowhere"), *_built_in(directory)]
        ended = self._run([*command, "-r", "/dev/stdin"], directory, text="\n".join(requirements))
        if ended.status:
            if unanswered := _UNANSWERED.search(ended.complaint):
                _require_online(ended)
                raise NoFittingWheelError(unanswered.group(1))
            raise _failed(ended, tr("cannot choose the packages of the runtime"))
        try:
            return tuple(_found(item) for item in load_foreign(report.read_bytes())["install"])
        except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
            raise _failed(ended, tr("gives a report that cannot be read ({error})", error=error)) from error

    def build(self, requirement: str, directory: Path) -> BuiltWheel | None:
        """Download the newest sources, and have them made a wheel."""
        sources = directory / "sources"
        command = ["download", "--quiet", "--no-deps", "--no-binary", ":all:", "--dest", str(sources)]
        before = _files(sources)
        ended = self._run([*command, "-r", "/dev/stdin"], directory, text=requirement)
        if ended.status:
            _require_online(ended)
            return None
        return self._made_wheel(_new_file(sources, before, ended), directory)

    def offers(self, requirement: str, target: Target, directory: Path) -> tuple[str, ...]:
        """Ask again, for all that pip passes over."""
        command = ["download", "-vv", "--no-deps", *_fitting(target), "--dest", str(directory / "nowhere")]
        ended = self._run([*command, "-r", "/dev/stdin"], directory, text=requirement)
        return tuple(dict.fromkeys(_SKIPPED.findall(ended.output)[::-1]))[:_MOST_OFFERS]

    def fetch(self, wheels: Sequence[WantedWheel], target: Target, directory: Path) -> Mapping[str, Path]:
        """Download wheels, held to their digests: where one has a digest pip wants all to, so it is asked twice."""
        place = directory / "fetched"
        command = ["download", "--quiet", "--no-deps", *_fitting(target), "--dest", str(place), "-r", "/dev/stdin"]
        for group in ([item for item in wheels if item.digest], [item for item in wheels if not item.digest]):
            if group:
                lines = [_exactly(item.name, item.version, item.digest) for item in group]
                ended = self._run(command, directory, text="\n".join(lines))
                _require_same(ended, ", ".join(f"{item.name} {item.version}" for item in group), _only_digest(group))
        there = {item.file: place / item.file for item in wheels}
        if absent := [name for name, path in there.items() if not path.is_file()]:
            raise _failed(ended, tr("does not bring {absent} any more", absent=", ".join(absent)))
        return there

    def rebuild(self, pin: PinnedWheel, directory: Path) -> BuiltWheel:
        """Download the pinned sources, and have them made a wheel."""
        sources = directory / "sources"
        command = ["download", "--quiet", "--no-deps", "--no-binary", ":all:", "--dest", str(sources)]
        before = _files(sources)
        wanted = _exactly(pin.name, pin.version, pin.download.digest)
        ended = self._run([*command, "-r", "/dev/stdin"], directory, text=wanted)
        _require_same(ended, f"{pin.name} {pin.version}", str(pin.download.digest))
        built = self._made_wheel(_new_file(sources, before, ended), directory)
        if built is None:
            raise _failed(ended, tr("makes no wheel of {file} any more", file=pin.file))
        return built

    def _made_wheel(self, sources: Path, directory: Path) -> BuiltWheel | None:
        wheels = directory / "built"
        before = _files(wheels)
        command = ["wheel", "--quiet", "--no-deps", "--wheel-dir", str(wheels), str(sources)]
        ended = self._run(command, directory)
        if ended.status:
            return None
        wheel = _new_file(wheels, before, ended)
        return BuiltWheel(wheel, sources) if _ANY_MACHINE.search(wheel.name) else None

    def _run(self, arguments: Sequence[str], directory: Path, text: str = "") -> RanProgram:
        """Run pip; raises ToolMissingError when there is none, or one that cannot report."""
        own = {"TMPDIR": str(directory), "PIP_NO_INPUT": "1", "PIP_DISABLE_PIP_VERSION_CHECK": "1", "LC_ALL": "C.UTF-8"}
        # what a release of sources is made into has the same dates each time
        own["SOURCE_DATE_EPOCH"] = "315532800"
        ended = run([self.python, "-m", "pip", *arguments], environment={**self.environment, **own}, text=text)
        if _NO_PIP in ended.complaint or _TOO_OLD in ended.complaint:
            raise ToolMissingError(
                tr("pip 23 or newer"),
                package=tr(
                    "pip for {python} (Debian: python3-pip; elsewhere `python3 -m ensurepip`)", python=self.python
                ),
                needed_for=tr("the packages of a runtime"),
            )
        return ended


def _fitting(target: Target) -> list[str]:
    """Return the options that let pip take only wheels for a target (pip documentation, "pip download")."""
    options = ["--only-binary", ":all:", "--implementation", "cp", "--python-version", target.python]
    for abi in (f"cp{target.minor.replace('.', '')}", "abi3", "none"):
        options += ["--abi", abi]
    for platform in _PLATFORMS:
        options += ["--platform", f"{platform}_{target.machine}"]
    return options


def _built_in(directory: Path) -> list[str]:
    built = directory / "built"
    return ["--find-links", str(built)] if built.is_dir() else []


def _exactly(name: str, version: str, digest: Digest | None) -> str:
    return f"{name}=={version}" + (f" --hash={digest.algorithm}:{digest.hex}" if digest else "")


def _only_digest(wheels: Sequence[WantedWheel]) -> str:
    """Return the digest that is wanted of a single wheel; of several, pip's own words tell which is wrong."""
    return str(wheels[0].digest) if len(wheels) == 1 else tr("those of the lock")


def _found(item: Any) -> FoundPackage:
    metadata, download = item["metadata"], item["download_info"]
    hashes = download.get("archive_info", {}).get("hashes", {})
    wheel = WantedWheel(
        name=metadata["name"],
        version=metadata["version"],
        file=unquote(download["url"].rpartition("/")[2]),
        digest=Digest("sha256", hashes["sha256"]) if "sha256" in hashes else None,
    )
    return FoundPackage(wheel, tuple(metadata.get("requires_dist", ())))


def _files(directory: Path) -> frozenset[str]:
    return frozenset(path.name for path in directory.iterdir()) if directory.is_dir() else frozenset()


def _new_file(directory: Path, before: frozenset[str], ended: RanProgram) -> Path:
    new = sorted(_files(directory) - before)
    if len(new) != 1:
        raise _failed(ended, tr("has brought {new} where one file was asked for", new=", ".join(new) or tr("nothing")))
    return directory / new[0]


def _require_online(ended: RanProgram) -> None:
    if _OFFLINE.search(ended.complaint):
        raise SourceError(
            ErrorId.SOURCE_UNREACHABLE,
            tr("pip cannot reach its index: {last_lines}", last_lines=_last_lines(ended)),
            where="pip",
            remedy=tr("Check the network and pip's own settings (`pip config list`), then try again."),
            retryable=True,
        )


def _require_same(ended: RanProgram, what: str, digest: str) -> None:
    if _OTHER_BYTES in ended.complaint:
        got = re.search(r"Got\s+([0-9a-f]{64})", ended.complaint)
        raise IntegrityError(
            ErrorId.UPSTREAM_CHANGED,
            tr("the index has other bytes under this version"),
            where=what,
            remedy=tr("Do not use them before you know why; then pin the runtime anew with `bundler lock --update`."),
            want=digest,
            got=f"sha256:{got.group(1)}" if got else tr("another"),
        )
    if ended.status:
        _require_online(ended)
        raise _failed(ended, tr("cannot bring {what}", what=what))


def _failed(ended: RanProgram, what: str) -> SourceError:
    return SourceError(
        ErrorId.SOURCE_INVALID,
        f"{what}: {_last_lines(ended)}",
        where="pip",
        remedy=tr("What it says is above; its index and mirrors are those of `pip config list`."),
    )


def _last_lines(ended: RanProgram) -> str:
    lines = [line.strip() for line in (ended.complaint or ended.output).splitlines() if line.strip()]
    return redact_text(" / ".join(lines[-_LINES_SHOWN:])) or tr("it ended with status {status}", status=ended.status)
