"""A real CPython for glibc 2.17, in the shape that python-build-standalone publishes.

Where the tests run none of its archives can be had. The artifact `org.bytedeco:cpython` of Maven's central repository
holds a CPython 3.11.3 that was built on CentOS 7: it is brought by Maven, as Maven is configured, and packed again with
the directories and the link that the real archives have. It looks for its libraries in `lib/` of its own accord. What
it lacks of a real one: zlib, which this machine's stands in for, liblzma, bzip2, uuid; and OpenSSL is 3.1. The one for
aarch64 needs glibc 2.27, has no zlib at all, and does not look for libffi where it lies.
"""

from __future__ import annotations

import hashlib
import io
import os
import subprocess
import tarfile
import zipfile
from pathlib import Path

VERSION = "3.11.3"
COORDINATES = f"org.bytedeco:cpython:{VERSION}-1.5.9:jar"
CLASSIFIERS = {"x86_64": "linux-x86_64", "aarch64": "linux-arm64"}
# a copy of the artifact, for machines without Maven
JAR_VARIABLE = "BUNDLER_TEST_CPYTHON_JAR"
_ENTRY = """
runtime:
  - python: {{url: "{url}", sha256: {digest}}}
    platforms: [{platform}]
"""
_TOP = "org/bytedeco/cpython/"
_LIBRARIES = ("libpython3.11.so.1.0", "libffi.so.6")
_ZLIB = Path("/lib/x86_64-linux-gnu/libz.so.1").resolve()
_MACHINE_OF_ZLIB = "x86_64"
_DATE = 1_685_720_000


def portable_python(cache: Path, machine: str = "x86_64") -> Path:
    """Return the archive for a machine, made once in a directory that outlives the run."""
    archive = cache / f"cpython-{VERSION}-{machine}{'-with-zlib' if machine == _MACHINE_OF_ZLIB else ''}.tar.gz"
    if not archive.exists():
        partial = archive.with_name(f"{archive.name}.{os.getpid()}")
        _pack(_artifact(cache, CLASSIFIERS[machine]), partial, f"{_TOP}{CLASSIFIERS[machine]}/")
        partial.rename(archive)
    return archive


def runtime_entry(python: Path, platform: str = "linux/amd64") -> str:
    """Return what brings a runtime with this archive, at the end of a manifest."""
    digest = hashlib.sha256(python.read_bytes()).hexdigest()
    return _ENTRY.format(url=python.as_uri(), digest=digest, platform=platform)


def _artifact(cache: Path, classifier: str) -> Path:
    if given := os.environ.get(JAR_VARIABLE):
        return Path(given)
    repository = cache / "maven"
    get = "org.apache.maven.plugins:maven-dependency-plugin:3.6.1:copy"
    artifact = f"-Dartifact={COORDINATES}:{classifier}"
    command = ["mvn", "-q", "-B", get, artifact, f"-DoutputDirectory={repository}"]
    subprocess.run(command, check=True, stdout=subprocess.PIPE)
    [jar] = repository.glob(f"*-{classifier}.jar")
    return jar


def _pack(jar: Path, archive: Path, top: str) -> None:
    with zipfile.ZipFile(jar) as source, tarfile.open(archive, "w:gz", compresslevel=1) as tar:
        for name in sorted(source.namelist()):
            if (landing := _landing(name.removeprefix(top))) and name.startswith(top):
                info = tarfile.TarInfo(f"python/{landing}")
                info.size, info.mtime = source.getinfo(name).file_size, _DATE
                info.mode = 0o755 if landing.startswith("bin/") else 0o644
                tar.addfile(info, io.BytesIO(source.read(name)))
        if top == f"{_TOP}{CLASSIFIERS[_MACHINE_OF_ZLIB]}/":
            tar.add(_ZLIB, "python/lib/libz.so.1", filter=_undated)
        link = tarfile.TarInfo("python/bin/python3")
        link.type, link.linkname, link.mtime = tarfile.SYMTYPE, "python3.11", _DATE
        tar.addfile(link)


def _undated(info: tarfile.TarInfo) -> tarfile.TarInfo:
    info.mtime, info.uid, info.gid, info.uname, info.gname = _DATE, 0, 0, "", ""
    return info


def _landing(name: str) -> str:
    if name in _LIBRARIES:
        return f"lib/{name}"
    kept = name == "bin/python3.11" or name.startswith(("lib/python3.11/", "include/python3.11/"))
    return name if kept and not name.endswith("/") else ""
