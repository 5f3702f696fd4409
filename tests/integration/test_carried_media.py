"""Parts and parity on real media: bad sectors by FUSE, FAT32 by mtools, a full ext4, and two sticks in one place."""

from __future__ import annotations

import json
import os
import pty
import random
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from bundler.errors import ErrorId, StorageError
from bundler.model.part_size import FAT32_BYTES
from bundler.partial_file import partial_file
from bundler.store.disk_usage import max_file_bytes
from tests.integration.bad_medium import bad_medium
from tests.integration.test_deltas import small_disk
from tests.unit.archive.bundles import sample

pytestmark = pytest.mark.integration
MIB = 1024 * 1024
NAME = "demo.tar.gz"
ROOT = Path(__file__).parents[2]
BUNDLER = (sys.executable, "-m", "bundler")


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An archive, and in `parts` the same in parts of 1 MiB with 20 % parity."""
    directory = tmp_path_factory.mktemp("made")
    chance = random.Random(1)
    sample(directory, {f"kubeedge/{number}": chance.randbytes(MIB) for number in range(7)}).write(directory / NAME)
    _bundler("split", directory / NAME, "--size=1MiB", "--parity=20%", "-o", directory / "parts")
    return directory


@pytest.fixture
def parts(made: Path, tmp_path: Path) -> Path:
    """A directory with a copy of the parts."""
    directory = tmp_path / "carried"
    directory.mkdir()
    for path in (made / "parts").iterdir():
        (directory / path.name).write_bytes(path.read_bytes())
    return directory


def _bundler(*words: str | Path, code: int = 0) -> Any:
    """Run bundler, and return its JSON answer."""
    done = subprocess.run([*BUNDLER, *words, "--json"], capture_output=True, text=True, check=False)
    assert done.returncode == code, done.stderr
    return json.loads(done.stdout)


def _told(*words: str | Path, code: int = 0, language: str = "C.UTF-8") -> str:
    """Run bundler, and return its answer to a person."""
    environment = {**os.environ, "LC_ALL": language}
    done = subprocess.run([*BUNDLER, *words], capture_output=True, text=True, check=False, env=environment)
    assert done.returncode == code, done.stderr
    return done.stdout


def _contents(directory: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in directory.iterdir()}


def test_cat_and_tar_need_no_tool(made: Path, parts: Path, tmp_path: Path) -> None:
    command = f"cat {NAME}.[0-9]* | tar -zxf - -C {tmp_path} && sha256sum -c --quiet {NAME}.parts.sha256"
    subprocess.run(["sh", "-ec", command], cwd=parts, check=True)
    subprocess.run(["sha256sum", "-c", "--quiet", "SHA256SUMS"], cwd=tmp_path, check=True)
    joined = subprocess.run(["sh", "-c", f"cat {NAME}.[0-9]*"], cwd=parts, check=True, capture_output=True).stdout
    assert joined == (made / NAME).read_bytes()


def test_every_command_reads_the_directory_of_parts(parts: Path, tmp_path: Path) -> None:
    assert _bundler("verify", parts)["intact"]
    bundle = ROOT / "tests" / "data" / "bundles" / "format-1.tar.gz"
    _bundler("split", bundle, "--size=64KiB", "-o", tmp_path)
    assert _bundler("inspect", tmp_path)["files"]
    assert _bundler("diff", tmp_path / "format-1.tar.gz.000", bundle)["changes"] == []
    (tmp_path / "second").mkdir()
    (parts / f"{NAME}.003").rename(tmp_path / "second" / f"{NAME}.003")
    assert _bundler("verify", parts, code=5)["id"] == "bundle-incomplete"
    done = _bundler("unpack", parts, "-C", tmp_path / "opt", "--part-dir", tmp_path / "second")
    assert done["files"]


def test_what_was_written_and_what_is_missing_is_told_in_words(made: Path, tmp_path: Path) -> None:
    last = _told("split", made / NAME, "--size=fat32", "--parity=1%", "-o", tmp_path).splitlines()[-2:]
    assert last == [
        f"1 part; without this tool: cat {NAME}.[0-9]* | tar -zxf - -C /opt",
        f"parity for `bundler repair`: {NAME}.p[0-9]* {NAME}.parity.json",
    ]
    _told("split", tmp_path, "--size=1MiB", "-o", tmp_path)
    (tmp_path / f"{NAME}.001").unlink()
    told = _told("verify", tmp_path, "--parts", code=5, language="zh_CN.UTF-8").splitlines()
    assert told[0].split()[:2] == ["分卷", "状态"]
    assert [line.split()[1] for line in told[1:3]] == ["完好", "缺失"]


def test_bad_sectors_are_named_and_mended_on_the_medium(made: Path, parts: Path, tmp_path: Path) -> None:
    size = (parts / f"{NAME}.002").stat().st_size
    (parts / f"{NAME}.005").unlink()
    bad = {f"{NAME}.002": [(5000, 7048), (200_000, 202_048), (size - 2048, size)], f"{NAME}.p00": [(70_000, 72_048)]}
    stick = tmp_path / "stick"
    with bad_medium(parts, stick, bad=bad):
        broken = _bundler("unpack", stick / f"{NAME}.000", "-C", tmp_path / "opt", code=5)
        assert broken["id"] == "bundle-incomplete"
        assert f"no {NAME}.005" in broken["what"]
        report = _bundler("verify", stick, "--parts", "--list", tmp_path / "list", code=5)
        found = {part["name"]: part for part in report["parts"]}
        assert found[f"{NAME}.005"]["state"] == "missing"
        assert found[f"{NAME}.005"]["begin"] == 5 * MIB
        assert "bytes 0 to 65535, bytes 196608 to 262143, bytes 983040 to 1048575" in found[f"{NAME}.002"]["what"]
        assert report["mendable"]
        assert (tmp_path / "list").read_text().split() == report["wanted"]
        mended = _bundler("repair", stick)
        assert {file["name"]: file["blocks"] for file in mended["mended"]} == {
            f"{NAME}.002": 3,
            f"{NAME}.005": 16,
            f"{NAME}.p00": 1,
        }
        assert _bundler("verify", stick)["intact"]
        assert _bundler("repair", stick)["mended"] == []
    assert _contents(parts) == _contents(made / "parts")


def test_mended_parts_go_where_they_are_asked_for(made: Path, parts: Path, tmp_path: Path) -> None:
    (parts / f"{NAME}.003").unlink()
    wanted = tmp_path / "mended" / "here"
    assert _bundler("repair", parts, "-o", wanted)["mended"] == [{"name": f"{NAME}.003", "blocks": 16}]
    assert _contents(wanted) == {f"{NAME}.003": (made / "parts" / f"{NAME}.003").read_bytes()}


def test_a_medium_with_room_for_one_more_part_is_enough(made: Path, parts: Path, tmp_path: Path) -> None:
    (parts / f"{NAME}.001").unlink()
    size = sum(path.stat().st_size for path in parts.iterdir())
    with small_disk(tmp_path / "stick", str(size + 3 * MIB)) as stick:
        for path in parts.iterdir():
            (stick / path.name).write_bytes(path.read_bytes())
        damaged = [f"{NAME}.00{number}" for number in (0, 2, 3, 4, 5, 6)]
        for number, name in enumerate(damaged):
            with (stick / name).open("r+b") as part:
                part.seek(number * 100_000)
                part.write(bytes(512))
        mended = _bundler("repair", stick)["mended"]
        assert {file["name"] for file in mended} == {*damaged, f"{NAME}.001"}
        assert _contents(stick) == _contents(made / "parts")


def test_what_says_nothing_of_parts_alone_is_refused(parts: Path, tmp_path: Path) -> None:
    for words in (("--key", tmp_path / "alice.pem"), ("--allow-unsigned",), ("--exact",), ("--strict",)):
        failure = _bundler("verify", parts, "--parts", *words, code=2)
        assert f"{words[0]} does not go with --parts" in failure["what"]
    assert "--list goes with --parts" in _bundler("verify", parts, "--list", tmp_path / "list", code=2)["what"]
    # the environment is meant for other commands as well
    done = subprocess.run(
        [*BUNDLER, "verify", parts, "--parts"], env={**os.environ, "BUNDLER_KEY": "alice.pem"}, check=False
    )
    assert done.returncode == 0


def test_parts_on_two_media_are_signed_described_and_reported(parts: Path, tmp_path: Path) -> None:
    second = tmp_path / "second"
    second.mkdir()
    for path in (parts / f"{NAME}.002", parts / f"{NAME}.sha256"):
        path.rename(second / path.name)
    _bundler("keygen", tmp_path / "alice")
    here = (parts, "--part-dir", second)
    written = _bundler("sign", *here, "--sign", tmp_path / "alice.key")["signatures"]
    assert {Path(path).parent for path in written} == {parts}
    told = _bundler("verify", *here, "--key", tmp_path / "alice.pem", "--exact")
    assert [key["name"] for key in told["signed_by"]] == ["alice"]
    for words in (("sbom", *here), ("report", *here, "--key", tmp_path / "alice.pem")):
        done = subprocess.run([*BUNDLER, *words, "-o", tmp_path / words[0]], capture_output=True, check=False)
        assert done.returncode == 0, done.stderr
    assert '"name":"demo"' in (tmp_path / "sbom").read_text().replace(" ", "")
    assert 'class="signature holds"' in (tmp_path / "report").read_text()


def test_an_interruption_says_that_nothing_was_changed(parts: Path) -> None:
    (parts / f"{NAME}.006").unlink()
    person, terminal = pty.openpty()
    try:
        process = subprocess.Popen([*BUNDLER, "verify", parts], stdin=terminal, stderr=terminal, stdout=terminal)
        os.close(terminal)
        _read_until(person, f"{NAME}.006 is not here".encode())
        process.send_signal(signal.SIGINT)
        _read_until(person, b"Nothing was changed")
        assert process.wait(120) == 130
    finally:
        os.close(person)


def test_a_system_without_what_parity_needs_is_told_what(parts: Path, tmp_path: Path) -> None:
    """As the loader says it, with glibc."""
    shadow = tmp_path / "shadow" / "pyeclib"
    shadow.mkdir(parents=True)
    (shadow / "__init__.py").touch()
    missing = "libz.so.1: cannot open shared object file: No such file or directory"
    (shadow / "ec_iface.py").write_text(f"raise ImportError({missing!r})\n")
    (parts / f"{NAME}.001").unlink()
    done = subprocess.run(
        [*BUNDLER, "repair", parts],
        env={**os.environ, "PYTHONPATH": str(shadow.parent)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 10
    assert "libz.so.1 is not installed; it is needed for parity" in done.stderr
    assert "zlib1g" in done.stderr
    assert not (parts / f"{NAME}.001").exists()


def test_a_part_that_cannot_be_read_is_named_with_its_range(parts: Path, tmp_path: Path) -> None:
    with bad_medium(parts, tmp_path / "stick", bad={f"{NAME}.002": [(500_000, 502_048)]}):
        failure = _bundler("unpack", tmp_path / "stick", "-C", tmp_path / "opt", code=5)
    assert failure["id"] == "bundle-damaged"
    assert f"{NAME}.002" in f"{failure['where']}{failure['what']}"
    assert f"bytes {2 * MIB} to {3 * MIB - 1}" in failure["what"]
    assert not (tmp_path / "opt" / "bundle.json").exists()


def test_a_disk_that_takes_no_large_file_is_found_beforehand(tmp_path: Path) -> None:
    (tmp_path / "backing").mkdir()
    with bad_medium(tmp_path / "backing", tmp_path / "stick", max_file_bytes=FAT32_BYTES):
        assert max_file_bytes(tmp_path / "stick" / "later") == FAT32_BYTES
        with partial_file(tmp_path / "stick" / NAME, lambda: None) as file:
            file.write_at(b"1", FAT32_BYTES - 1)
            with pytest.raises(StorageError) as caught:
                file.write_at(b"1", FAT32_BYTES)
        assert caught.value.id is ErrorId.FILE_TOO_LARGE
        assert _contents(tmp_path / "stick") == {}
    assert max_file_bytes(tmp_path) is None


def test_fat32_carries_the_parts(made: Path, parts: Path, tmp_path: Path) -> None:
    image = tmp_path / "stick.img"
    with image.open("xb") as file:
        file.truncate(64 * MIB)
    subprocess.run(["mformat", "-F", "-i", image, "::"], check=True)
    subprocess.run(["mcopy", "-i", image, *sorted(parts.iterdir()), "::"], check=True)
    (tmp_path / "copied").mkdir()
    subprocess.run(["mcopy", "-n", "-i", image, "::*", tmp_path / "copied"], check=True)
    assert _contents(tmp_path / "copied") == _contents(made / "parts")
    assert _bundler("verify", tmp_path / "copied")["intact"]


def test_a_full_disk_keeps_the_older_set(made: Path, tmp_path: Path) -> None:
    image, mount = tmp_path / "disk.img", tmp_path / "disk"
    with image.open("xb") as file:
        file.truncate(16 * MIB)
    mount.mkdir()
    subprocess.run(["mkfs.ext4", "-q", image], check=True)
    subprocess.run(["mount", "-o", "loop", image, mount], check=True)
    try:
        (mount / "lost+found").rmdir()
        _bundler("split", made / NAME, "--size=2MiB", "-o", mount)
        before = _contents(mount)
        failure = _bundler("split", made / NAME, "--size=1MiB", "-o", mount, code=11)
        assert failure["id"] == "disk-full"
        assert _contents(mount) == before
        assert _bundler("verify", mount)["intact"]
    finally:
        subprocess.run(["umount", mount], check=True)


def test_sticks_are_asked_for_on_a_terminal(parts: Path, tmp_path: Path) -> None:
    shelf = tmp_path / "shelf"
    shelf.mkdir()
    for number in (4, 6):
        (parts / f"{NAME}.{number:03}").rename(shelf / f"{NAME}.{number:03}")
    person, terminal = pty.openpty()
    try:
        process = subprocess.Popen([*BUNDLER, "verify", parts], stdin=terminal, stderr=terminal, stdout=subprocess.PIPE)
        os.close(terminal)
        for number in (4, 6):
            _read_until(person, f"{NAME}.{number:03} is not here".encode())
            (shelf / f"{NAME}.{number:03}").rename(parts / f"{NAME}.{number:03}")
            os.write(person, b"\n")
        answer, _ = process.communicate(timeout=120)
    finally:
        os.close(person)
    assert process.returncode == 0
    assert b"files intact" in answer


def _read_until(terminal: int, wanted: bytes) -> None:
    text = b""
    while wanted not in text:
        text += os.read(terminal, 4096)
