"""The builder's settings file."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from bundler.errors import ErrorId, ManifestError
from bundler.manifest.user_config import UserSettings, load_settings

if TYPE_CHECKING:
    from pathlib import Path


def test_no_file_is_empty_settings(tmp_path: Path) -> None:
    assert load_settings(None) == UserSettings()
    assert load_settings(tmp_path / "absent" / "config.yaml") == UserSettings()


@pytest.mark.parametrize(
    ("text", "mirrors"),
    [
        ("", ()),
        ("# mirrors: []\n", ()),
        ("{}\n", ()),
        ("mirrors:\n  - registry.k8s.io=mirror.example/k8s\n", ("registry.k8s.io=mirror.example/k8s",)),
        ("mirrors: [b=c, 'a=$d']\nx-old: 7\n", ("b=c", "a=$d")),
    ],
)
def test_mirrors_stay_as_written(tmp_path: Path, text: str, mirrors: tuple[str, ...]) -> None:
    path = tmp_path / "config.yaml"
    path.write_text(text)
    assert load_settings(path).mirrors == mirrors


def test_client_certificates_stay_as_written(tmp_path: Path) -> None:
    path = tmp_path / "config.yaml"
    path.write_text("client_certs: ['https://dl.example/=~/a.pem,b.pem']\nmirrors: [b=c]\n")
    assert load_settings(path) == UserSettings(("b=c",), ("https://dl.example/=~/a.pem,b.pem",))


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("mirror: [a=b]\n", "1:1: unknown key 'mirror' in the settings; did you mean 'mirrors'?"),
        ("mirrors: a=b\n", "1:10: 'mirrors': want a list, got the string 'a=b'; write [a=b]"),
        ("- a=b\n", "1:1: want the settings as a mapping, got a list"),
        ("mirrors: [a=b]\nmirrors: []\n", "2:1: duplicate key 'mirrors', first on line 1"),
        ("mirrors: [a\n", "2:1: is not valid YAML"),
    ],
)
def test_faults_are_named(tmp_path: Path, text: str, problem: str) -> None:
    path = tmp_path / "config.yaml"
    path.write_text(text)
    with pytest.raises(ManifestError) as caught:
        load_settings(path)
    assert caught.value.id is ErrorId.SETTINGS_INVALID
    assert len(caught.value.problems) == 1
    assert caught.value.problems[0].startswith(f"{path}:{problem}")


def test_a_directory_is_no_settings_file(tmp_path: Path) -> None:
    with pytest.raises(ManifestError) as caught:
        load_settings(tmp_path)
    assert (caught.value.id, caught.value.where) == (ErrorId.SETTINGS_INVALID, str(tmp_path))
