"""What several snippets have in common; the shell function that places files is run by a shell."""

from __future__ import annotations

import subprocess
from typing import TYPE_CHECKING

import pytest

from mirror.client.reach import Reach
from mirror.client.wording import PLACING, curl, curl_remarks, placing, root_url, schemes, word

if TYPE_CHECKING:
    from pathlib import Path

TEXT = "[section]\nkey = \"$HOME `x` 'y' \\\\\"\nEND of it\n"


@pytest.mark.parametrize(
    ("reach", "scheme", "command"),
    [
        (Reach("m", 80, False, 21), "http", "curl -gfsS"),
        (Reach("m", 80, False, 21, login=True), "ftp", "curl -gfsS --netrc"),
        (Reach("m", 80, True, 21), "http", "curl -gfsS"),
        (Reach("m", 80, True, 21, login=True), "ftp", "curl -gfsS --netrc --ssl-reqd"),
    ],
)
def test_a_curl_has_the_options_that_the_mirror_needs(reach: Reach, scheme: str, command: str) -> None:
    assert curl(reach, scheme) == command


def test_remarks_say_what_a_client_needs_and_nothing_else() -> None:
    assert curl_remarks(Reach("m", 80, False, 21)) == []
    (trust,) = curl_remarks(Reach("m", 443, True, None))
    (login,) = curl_remarks(Reach("m", 80, False, None, login=True))
    assert "CURL_CA_BUNDLE" in trust
    assert "machine m login @NAME@ password @PASSWORD@" in login
    assert curl_remarks(Reach("m", 443, True, None, login=True)) == [trust, login]


BOTH = ("http", "ftp")


@pytest.mark.parametrize(("http", "ftp", "on"), [(80, 21, BOTH), (80, None, ("http",)), (None, 21, ("ftp",))])
def test_a_scheme_is_there_when_its_port_is(http: int | None, ftp: int | None, on: tuple[str, ...]) -> None:
    reach = Reach("m", http, False, ftp)
    assert schemes(reach) == on
    assert [root_url(reach, scheme) for scheme in on] == [f"{scheme}://m" for scheme in on]


def shell(*lines: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(["sh", "-eu"], input="\n".join(lines) + "\n", capture_output=True, text=True, check=False)


def test_a_file_is_made_with_its_directory_and_what_follows_is_done(tmp_path: Path) -> None:
    path = tmp_path / "a b" / "$(x)" / "hosts.toml"
    done = shell(*PLACING, *placing(str(path), TEXT, then="echo restarted"))
    assert (done.returncode, done.stdout) == (0, "restarted\n"), done.stderr
    assert path.read_text() == TEXT


def test_the_same_file_is_no_other_file(tmp_path: Path) -> None:
    path = tmp_path / "hosts.toml"
    path.write_text(TEXT)
    done = shell(*PLACING, *placing(str(path), TEXT, then="echo restarted"))
    assert (done.returncode, done.stdout) == (0, "restarted\n")


def test_another_file_is_left_alone_and_what_to_merge_is_shown(tmp_path: Path) -> None:
    path = tmp_path / "hosts.toml"
    path.write_text("mine\n")
    done = shell(*PLACING, *placing(str(path), TEXT, then="echo restarted"), "echo went on")
    assert path.read_text() == "mine\n"
    assert f"{path} exists and was left alone" in done.stdout
    assert TEXT in done.stdout
    assert "restarted" not in done.stdout


@pytest.mark.parametrize("text", ["", "a b", "$(reboot)", "'", '"`x`"', "-n", "a\nb"])
def test_a_word_of_a_shell_is_one_word(text: str) -> None:
    assert shell(f"printf %s {word(text)}").stdout == text
