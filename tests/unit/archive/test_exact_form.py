"""Every bit of an archive counts: `verify` finds what shows without compressing again, `--exact` finds the rest."""

from __future__ import annotations

import io
import random
import zlib
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from bundler.archive.exact_form import ExactForm, compare_form, compare_form_by
from bundler.archive.faults import OtherFormError
from bundler.archive.gzip_block import MEMBER_BYTES
from bundler.archive.gzip_members import gzip_members
from bundler.archive.verify import verify_archive
from bundler.archive.verify_report import require_intact
from bundler.compress import GZIP_HEADER, LIBDEFLATE_1, gzip_trailer
from bundler.errors import BundlerError, IntegrityError
from bundler.model.progress import Unwatched
from tests.unit.archive.bundles import sample

if TYPE_CHECKING:
    from pathlib import Path


def gzip_of(plain: bytes) -> bytes:
    """Return a member of our form."""
    return GZIP_HEADER + LIBDEFLATE_1.deflate(plain) + gzip_trailer(plain)


@pytest.fixture
def archive(tmp_path: Path) -> Path:
    """An archive of two members, one deflated and one stored for the most part."""
    contents = {"a/text": b"one line after another\n" * 30_000, "b/random": random.Random(3).randbytes(600_000)}
    return sample(tmp_path, contents).write(tmp_path / "demo.tar.gz").path


def found(path: Path, *, exact: bool) -> bool:
    """Tell whether the archive is found not to be what was built."""
    try:
        require_intact(verify_archive(path, Unwatched(), exact=exact))
    except BundlerError:
        return True
    return False


def test_an_untouched_archive_is_exactly_what_was_built(archive: Path) -> None:
    assert verify_archive(archive, Unwatched()).form is None
    assert verify_archive(archive, Unwatched(), exact=True).form == ExactForm()


def test_every_flip_around_the_content_is_found(archive: Path, tmp_path: Path) -> None:
    data = archive.read_bytes()
    with archive.open("rb", buffering=0) as raw:
        offsets = [member.offset for member in gzip_members(raw, "demo")]
    assert len(offsets) == 2
    flipped = tmp_path / "flipped.tar.gz"
    ends = [offset - 1 - back for offset in (*offsets[1:], len(data)) for back in range(8)]
    for at in [offset + header for offset in offsets for header in range(len(GZIP_HEADER))] + ends:
        flipped.write_bytes(data[:at] + bytes([data[at] ^ 1 << at % 8]) + data[at + 1 :])
        assert found(flipped, exact=False), f"byte {at}"


def test_every_flip_whatever_is_found_by_compressing_again(tmp_path: Path) -> None:
    path = sample(tmp_path, {"a/text": b"kubeedge\n" * 9000}).write(tmp_path / "demo.tar.gz").path
    data = path.read_bytes()
    flipped = tmp_path / "flipped.tar.gz"
    plain_misses = 0
    for bit in random.Random(1).sample(range(len(data) * 8), 400):
        at, mask = bit // 8, 1 << bit % 8
        flipped.write_bytes(data[:at] + bytes([data[at] ^ mask]) + data[at + 1 :])
        plain_misses += not found(flipped, exact=False)
        assert found(flipped, exact=True), f"bit {bit}"
    # bits that no byte of the content depends on are what the option is for
    assert plain_misses < 40


def test_the_same_content_deflated_otherwise_is_found_by_compressing_again(tmp_path: Path) -> None:
    path = sample(tmp_path, {"a/text": b"kubeedge\n" * 9000}).write(tmp_path / "demo.tar.gz").path
    with path.open("rb", buffering=0) as raw:
        (member,) = gzip_members(raw, "demo")
    deflated = zlib.compress(member.plain, 9, -15)
    path.write_bytes(GZIP_HEADER + deflated + gzip_trailer(member.plain))
    assert not found(path, exact=False)
    report = verify_archive(path, Unwatched(), exact=True)
    assert report.form == ExactForm(differing=(0,))
    with pytest.raises(IntegrityError, match="compressed otherwise: byte 0"):
        require_intact(report)


@pytest.mark.parametrize("deflate", ["zopfli-15", "LIBDEFLATE-1"])
def test_an_unknown_deflater_is_a_note(archive: Path, deflate: str) -> None:
    form = compare_form(archive, deflate, Unwatched())
    assert deflate in form.not_compared
    assert form.differing == ()


def test_a_deflater_that_this_machine_cannot_reproduce_is_a_note(archive: Path) -> None:
    other = replace(LIBDEFLATE_1, answer="0" * 64)
    form = compare_form_by(archive, other, Unwatched())
    assert "other bytes on this machine" in form.not_compared
    assert form.differing == ()


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (gzip_of(b"short") + gzip_of(b"more"), "more members after a short one"),
        (gzip_of(bytes(MEMBER_BYTES + 1)), "a longer one"),
        (gzip_of(b"x") + b"garbage", "after a short one"),
        (gzip_of(bytes(MEMBER_BYTES)) + b"\x1f\x8b\x08\x08" + bytes(4) + b"\x00\xff", "the gzip header"),
        (b"\x1f\x8b", "the gzip header"),
    ],
)
def test_another_form_is_named_with_its_place(data: bytes, message: str) -> None:
    with pytest.raises(OtherFormError, match=message):
        list(gzip_members(io.BytesIO(data), "demo"))


@pytest.mark.parametrize("cut", [3, 12, 20, 30])
def test_an_archive_that_is_cut_short_is_not_another_form(cut: int) -> None:
    whole = gzip_of(random.Random(1).randbytes(40))
    with pytest.raises(IntegrityError) as caught:
        list(gzip_members(io.BytesIO(whole[: -min(cut, len(whole) - len(GZIP_HEADER))]), "demo"))
    assert "cut short" in str(caught.value)
    assert not isinstance(caught.value, OtherFormError)
