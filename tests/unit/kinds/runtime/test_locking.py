from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from bundler.errors import ErrorId, IntegrityError, ManifestError, SourceError
from bundler.model.artifact import HeldTo
from bundler.model.digest import Blob
from bundler.model.json_value import dump_pretty, load_strict
from bundler.model.runtime_artifact import RuntimeArtifact
from tests.fakes.elf_file import AARCH64, elf_file
from tests.unit.kinds.runtime.runtime_upstream import (
    ITEM,
    LIBC,
    MEMBER_S,
    VERSION,
    FakeInterpreter,
    FakeInterpreters,
    Upstream,
    program,
    python_files,
    tgz,
    wheel,
)

if TYPE_CHECKING:
    from tests.fakes.progress import RecordingTask

ONE = "{python: {url: https://h/x86_64.tgz, sha256: A}, platforms: [linux/amd64]}"
UNPINNED = "{python: {url: https://h/x86_64.tgz}, platforms: [linux/amd64]}"


def lock(upstream: Upstream, task: RecordingTask, item: str = ONE) -> tuple[RuntimeArtifact, ...]:
    return upstream.kind.lock(upstream.entry(item), upstream.sources, task)


def paths(artifact: RuntimeArtifact) -> set[str]:
    return {str(file.path) for file in artifact.files}


def test_a_runtime_is_a_python_this_tool_its_packages_and_their_byte_code(
    upstream: Upstream, task: RecordingTask
) -> None:
    [artifact] = lock(upstream, task)

    site = "lib/python3.12/site-packages"
    assert paths(artifact) == {
        "bin/python3",
        "lib/libpython3.12.so.1.0",
        "lib/python3.12/os.py",
        "lib/python3.12/__pycache__/os.cpython-312.pyc",
        "lib/python3.12/email/header.py",
        "lib/python3.12/email/__pycache__/header.cpython-312.pyc",
        "lib/python3.12/lib-dynload/_ssl.so",
        *(f"{site}/{name}/__init__.py" for name in ("tool", "click", "asyncore")),
        *(f"{site}/{name}/__pycache__/__init__.cpython-312.pyc" for name in ("tool", "click", "asyncore")),
        *(f"{site}/{name}-1.dist-info/METADATA" for name in ("tool", "click", "asyncore")),
        f"{site}/tool-1.dist-info/RECORD",
    }
    assert {file.path: file.mode for file in artifact.files if file.mode != 0o644} == {"bin/python3": 0o755}
    assert (artifact.key, artifact.machine, artifact.held_to) == ("runtime/x86_64", "x86_64", HeldTo("manifest"))
    assert (artifact.python.version, artifact.python.glibc, artifact.python.date) == (VERSION, "2.17", MEMBER_S)
    assert all(upstream.store.has(blob) for blob in artifact.blobs)
    assert not upstream.store.partial


def test_the_lock_says_all_of_it_and_no_index(upstream: Upstream, task: RecordingTask) -> None:
    artifacts = lock(
        upstream, task, "{python: {url: 'https://h/${machine}.tgz', sha256: {linux/amd64: A, linux/arm64: B}}}"
    )

    for artifact in artifacts:
        assert RuntimeArtifact.decode(load_strict(dump_pretty(artifact.encode()))) == artifact
    [click, asyncore] = sorted(artifacts[0].wheels, key=lambda item: item.name != "click")
    assert (click.file, click.url) == ("click-1-py3-none-any.whl", "")
    # pip's answer to the builder's own Python does not count: this one wants what left the standard library
    assert (asyncore.file, asyncore.download) == ("asyncore-1.tar.gz", Blob.of(b"sources of asyncore"))


def test_one_runtimes_python_makes_the_others_byte_code(upstream: Upstream, task: RecordingTask) -> None:
    amd64, arm64 = lock(upstream, task, ITEM)

    assert upstream.interpreters.ran == [program(), program()]
    assert amd64.bytecode
    assert arm64.bytecode
    assert (amd64.without_bytecode, arm64.without_bytecode) == ("", "")


def test_a_python_that_nothing_vouches_for_is_not_run(upstream: Upstream, task: RecordingTask) -> None:
    upstream.interpreters.there = FakeInterpreter()
    [artifact] = lock(upstream, task, UNPINNED)

    assert upstream.interpreters.ran == []
    assert (artifact.bytecode, artifact.without_bytecode) == ((), "unpinned")
    assert "without byte-code" in artifact.remarks[-1]

    [allowed] = lock(replace(upstream, run_unpinned=True), task, UNPINNED)
    assert upstream.interpreters.ran == [program()]
    assert allowed.bytecode


def test_an_installed_python_of_the_very_version_stands_in(upstream: Upstream, task: RecordingTask) -> None:
    upstream.interpreters = FakeInterpreters(here=False, there=FakeInterpreter())
    assert lock(upstream, task)[0].bytecode

    upstream.interpreters = FakeInterpreters(here=False)
    [artifact] = lock(upstream, task)
    assert (artifact.bytecode, artifact.without_bytecode) == ((), "no-interpreter")


def test_what_cannot_be_compiled_travels_as_it_is(upstream: Upstream, task: RecordingTask) -> None:
    upstream.index.wheels["click"] = wheel("click", "1", files={"click/template.py": b"no Python\n"})
    [artifact] = lock(upstream, task)

    assert "lib/python3.12/site-packages/click/template.py" in paths(artifact)
    assert "lib/python3.12/site-packages/click/__pycache__/template.cpython-312.pyc" not in paths(artifact)


def test_a_link_to_a_library_is_followed(upstream: Upstream, task: RecordingTask) -> None:
    files = python_files()
    files["python/lib/libpython3.12.so.1.0.real"] = files.pop("python/lib/libpython3.12.so.1.0")
    links = {"python/lib/libpython3.12.so.1.0": "libpython3.12.so.1.0.real", "python/bin/python3": "python3.12"}
    upstream.archives["https://h/x86_64.tgz"] = tgz(files, links)

    assert "lib/libpython3.12.so.1.0" in paths(lock(upstream, task)[0])


def test_what_is_asked_of_the_host_is_told(upstream: Upstream, task: RecordingTask) -> None:
    library = elf_file(needed=["libz.so.1", "libgcc_s.so.1"], versions={"libc.so.6": ["GLIBC_2.28"]})
    upstream.index.wheels["click"] = wheel("click", "1", files={"click/fast.so": library})
    [artifact] = lock(upstream, task)

    assert (artifact.python.glibc, artifact.python.libraries) == ("2.28", ("libz.so.1",))
    assert artifact.remarks[1:] == ("needs glibc 2.28, which CentOS 7 has not", "needs of the host: libz.so.1")


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"python/bin/python3.12": None}, "0 programs"),
        ({"python/bin/python3.13": b""}, "2 programs"),
        ({"python/lib/python3.12/os.py": None}, "has no python/lib/python3.12/os.py"),
        ({"python/include/python3.12/patchlevel.h": None}, "patchlevel.h"),
        ({"python/include/python3.12/patchlevel.h": b'#define PY_VERSION "3.11.1"\n'}, "which release of Python 3.12"),
        ({"python/bin/python3.12": program(AARCH64)}, "another machine than x86_64: bin/python3"),
        ({"python/bin/python3.12": program(interpreter="")}, "glibc"),
        ({"python/bin/python3.12": b"#!/bin/sh\n"}, "glibc"),
    ],
)
def test_an_archive_of_another_kind_is_refused(
    upstream: Upstream, task: RecordingTask, changed: dict[str, bytes | None], said: str
) -> None:
    files = python_files() | changed
    upstream.archives["https://h/x86_64.tgz"] = tgz({name: data for name, data in files.items() if data is not None})

    with pytest.raises(ManifestError, match=said) as caught:
        lock(upstream, task)

    assert caught.value.id == ErrorId.RUNTIME_UNFIT


def test_a_damaged_library_is_refused(upstream: Upstream, task: RecordingTask) -> None:
    cut = elf_file(needed=["libc.so.6"], versions=LIBC)[:-40]
    upstream.archives["https://h/x86_64.tgz"] = tgz(python_files() | {"python/lib/libpython3.12.so.1.0": cut})

    with pytest.raises(SourceError, match=r"lib/libpython3.12.so.1.0 is a damaged"):
        lock(upstream, task)


def test_other_bytes_than_were_promised_are_refused(upstream: Upstream, task: RecordingTask) -> None:
    entry = upstream.entry(ONE)
    upstream.archives["https://h/x86_64.tgz"] = tgz({"python/evil": b""})

    with pytest.raises(IntegrityError) as caught:
        upstream.kind.lock(entry, upstream.sources, task)

    assert caught.value.id == ErrorId.CHECKSUM_MISMATCH


def test_a_package_without_a_fitting_wheel_is_named_with_what_there_is(upstream: Upstream, task: RecordingTask) -> None:
    upstream.index.sources.clear()

    with pytest.raises(ManifestError, match=r"asyncore.*asyncore-1-cp39-cp39-win32.whl") as caught:
        lock(upstream, task)

    assert caught.value.id == ErrorId.WHEEL_NOT_FOUND
    assert caught.value.where == f"CPython {VERSION} on x86_64 with glibc 2.17"


def test_a_named_wheel_of_this_tool_is_taken(upstream: Upstream, task: RecordingTask) -> None:
    url = "https://h/tool-2-py3-none-any.whl"
    upstream.archives[url] = wheel("tool", "2", ["click"])
    [artifact] = lock(upstream, task, ONE.replace("{python", f"{{tool: '{url}', python"))

    assert (artifact.tool.version, artifact.tool.url, artifact.tool.file) == ("2", url, url.rpartition("/")[2])
    assert [item.name for item in artifact.wheels] == ["click"]
    assert upstream.store.has(Blob.of(upstream.archives[url]))
