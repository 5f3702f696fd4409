"""Real RPMs for tests: built by `rpmbuild`, signed by `rpmsign`, put into repositories by `createrepo_c`.

    with signing_home() as home:
        key = home.make_key()
        paths = build_rpms(tmp_path / "rpms", [SpecLike("app", requires=("lib >= 2",)), SpecLike("lib", version="2.1")])
        sign(paths, key)
        old = el7_shape(paths[0], key)                   # in place: as packages for EL7 are made
        repository = make_repository(tmp_path / "repo", paths, key=key, signed_metadata=True)
        ... repository.url, repository.key_file ...

Same specs, same bytes up to the signatures (whose time is now, or `at`).
"""

from __future__ import annotations

import os
import shutil
import subprocess
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from tests.integration.el7_packages import el7_shape
from tests.integration.signing_keys import SigningHome, SigningKey, faked_time, signing_home

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

__all__ = [
    "Repository",
    "SigningHome",
    "SigningKey",
    "SpecLike",
    "build_rpms",
    "el7_shape",
    "make_repository",
    "sign",
    "signing_home",
]

BUILT_AT = 1_600_000_000
PROGRAM_WITHIN_S = 120
_DEFINES = {
    "_buildhost": "build.example.org",
    "use_source_date_epoch_as_buildtime": "1",
    "clamp_mtime_to_source_date_epoch": "1",
    "_build_id_links": "none",
    "debug_package": "%{nil}",
    "__os_install_post": "%{nil}",
    # nothing is derived from the files: a package requires and provides what its test says
    "__find_requires": "%{nil}",
    "__find_provides": "%{nil}",
    "_use_internal_dependency_generator": "0",
}


@dataclass(frozen=True, slots=True)
class SpecLike:
    """What a package is made of.

    Arguments:
        requires … supplements: dependencies as a spec file has them (`lib >= 2`, `(a if b)`, `/usr/bin/x`).
        files: absolute path -> content; an empty mapping gives one file under /usr/share/NAME, None none at all.
        compression: rpm's payload flags: `w6.gzdio`, `w6.xzdio` (as on EL7), `w3.zstdio`.
        scripts: spec section -> body, e.g. `{"%post": "exit 1"}`.
        built: SOURCE_DATE_EPOCH, seconds; its build time.
    """

    name: str
    version: str = "1.0"
    release: str = "1"
    epoch: int = 0
    arch: str = "noarch"
    requires: tuple[str, ...] = ()
    provides: tuple[str, ...] = ()
    conflicts: tuple[str, ...] = ()
    obsoletes: tuple[str, ...] = ()
    recommends: tuple[str, ...] = ()
    suggests: tuple[str, ...] = ()
    supplements: tuple[str, ...] = ()
    files: Mapping[str, bytes] | None = field(default_factory=dict)
    summary: str = ""
    compression: str = "w6.gzdio"
    scripts: Mapping[str, str] = field(default_factory=dict)
    built: int = BUILT_AT

    @property
    def contents(self) -> Mapping[str, bytes]:
        """The files it installs."""
        if self.files is None:
            return {}
        return self.files or {f"/usr/share/{self.name}/version": f"{self.version}-{self.release}\n".encode()}

    @property
    def file_name(self) -> str:
        """NAME-VERSION-RELEASE.ARCH.rpm."""
        return f"{self.name}-{self.version}-{self.release}.{self.arch}.rpm"

    def text(self) -> str:
        """Return the spec file; what it installs lies in the directory `%{contents}`."""
        lines = [f"Name: {self.name}", f"Version: {self.version}", f"Release: {self.release}"]
        lines += [f"Epoch: {self.epoch}"] if self.epoch else []
        lines += [f"Summary: {self.summary or f'Test package {self.name}'}", "License: Apache-2.0", "AutoReqProv: no"]
        lines += ["BuildArch: noarch"] if self.arch == "noarch" else []
        for tag in ("requires", "provides", "conflicts", "obsoletes", "recommends", "suggests", "supplements"):
            lines += [f"{tag.capitalize()}: {dependency}" for dependency in getattr(self, tag)]
        lines += ["%description", f"Made for a test: {self.name}."]
        lines += ["%install", "mkdir -p %{buildroot}", "cp -a %{contents}/. %{buildroot}/"]
        for section, body in self.scripts.items():
            lines += [section, body]
        return "\n".join([*lines, "%files", *sorted(self.contents), ""])


@dataclass(frozen=True, slots=True)
class Repository:
    """A repository on disk; `key_file` is the public key beside it, or None when it has none."""

    directory: Path
    key_file: Path | None

    @property
    def url(self) -> str:
        """Its file:// URL."""
        return f"file://{self.directory}"


def build_rpms(directory: Path, specs: Sequence[SpecLike]) -> tuple[Path, ...]:
    """Build packages into a directory (made when missing) and return their paths in the order of the specs."""
    directory.mkdir(parents=True, exist_ok=True)
    with ThreadPoolExecutor(max_workers=2) as workers:
        return tuple(workers.map(lambda spec: _build(directory, spec), specs))


def _build(directory: Path, spec: SpecLike) -> Path:
    top = directory / f".build-{spec.file_name}"
    for path, content in spec.contents.items():
        file = top / "contents" / path.lstrip("/")
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(content)
    (top / "contents").mkdir(parents=True, exist_ok=True)
    spec_file = top / "package.spec"
    spec_file.write_text(spec.text())
    defines = {
        **_DEFINES,
        "_topdir": str(top),
        "_rpmdir": str(top / "rpms"),
        "_build_name_fmt": "%%{NAME}-%%{VERSION}-%%{RELEASE}.%%{ARCH}.rpm",
        "contents": str(top / "contents"),
        "_binary_payload": spec.compression,
    }
    target = [] if spec.arch == "noarch" else ["--target", f"{spec.arch}-linux"]
    environment = {**os.environ, "SOURCE_DATE_EPOCH": str(spec.built), "LC_ALL": "C"}
    run(["rpmbuild", "-bb", "--nodeps", *target, *_options(defines), str(spec_file)], environment)
    built = directory / spec.file_name
    (top / "rpms" / spec.file_name).replace(built)
    shutil.rmtree(top)
    return built


def sign(paths: Sequence[Path], key: SigningKey, *, at: str = "", digest: str = "sha256", v3: bool = False) -> None:
    """Sign packages in place with `rpmsign`.

    Arguments:
        at: YYYY-MM-DD, when the signatures claim to be made; "" for now.
        digest: gpg's name of the hash.
        v3: add the signature over header and payload beside the one over the header (`rpmsign --rpmv3`).
    """
    defines = {
        "__gpg": "/usr/bin/gpg",
        "_gpg_name": key.fingerprint,
        "_gpg_path": str(key.home.directory),
        "_gpg_digest_algo": digest,
        "_gpg_sign_cmd_extra_args": " ".join(["--batch", "--pinentry-mode", "loopback", *faked_time(at)]),
    }
    run(["rpmsign", *_options(defines), "--resign", *(["--rpmv3"] if v3 else []), *map(str, paths)], os.environ)


def make_repository(
    directory: Path,
    rpms: Sequence[Path],
    *,
    key: SigningKey | None = None,
    signed_metadata: bool = False,
    compression: str = "gz",
    options: Sequence[str] = (),
    extras: Mapping[str, Path] | None = None,
) -> Repository:
    """Copy packages into a repository (hard links where that works) and write its repodata.

    Arguments:
        key: its public part is written to `RPM-GPG-KEY-test`; it signs repomd.xml when `signed_metadata` is set.
        compression: gz, xz, zstd, bz2: of primary, filelists and other.
        options: further options of the `createrepo_c` command, e.g. `["--groupfile", …]`.
        extras: record type -> file for `modifyrepo_c`, e.g. `{"modules": …, "updateinfo": …}`.
    """
    directory.mkdir(parents=True, exist_ok=True)
    for rpm in rpms:
        if not (directory / rpm.name).exists():
            shutil.copy2(rpm, directory)
    run(["createrepo_c", "--general-compress-type", compression, *options, str(directory)], os.environ)
    for kind, path in (extras or {}).items():
        run(["modifyrepo_c", "--mdtype", kind, str(path), str(directory / "repodata")], os.environ)
    key_file = directory / "RPM-GPG-KEY-test" if key else None
    if key and key_file:
        key_file.write_bytes(key.public)
    if key and signed_metadata:
        repomd = directory / "repodata" / "repomd.xml"
        repomd.with_name("repomd.xml.asc").write_bytes(key.detached(repomd.read_bytes()))
    return Repository(directory, key_file)


def run(command: Sequence[str], environment: Mapping[str, str]) -> str:
    """Run a program; return its stdout, AssertionError with all that it said when it fails."""
    done = subprocess.run(
        command,
        env=dict(environment),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=PROGRAM_WITHIN_S,
        check=False,
    )
    assert done.returncode == 0, f"{command[0]} failed: {done.stdout}{done.stderr}"
    return done.stdout


def _options(defines: Mapping[str, str]) -> list[str]:
    return [word for name, value in defines.items() for word in ("--define", f"{name} {value}")]
