"""Where lines may end in names and commands."""

from __future__ import annotations

import pytest

from mirror.page.pieces import MAX_NAME_CHARACTERS, name_pieces, word_pieces


@pytest.mark.parametrize(
    ("name", "pieces"),
    [
        ("kubelet-1.22.1-0.x86_64.rpm", ["kubelet-", "1.22.1-0.x86_64.rpm"]),
        ("docker-ce-cli-20.10.8-3.el7.x86_64", ["docker-ce-cli-", "20.10.8-3.el7.x86_64"]),
        ("registry.k8s.io/kube-proxy:v1.22.1", ["registry.k8s.io/", "kube-proxy", ":v1.22.1"]),
        ("master:8088/library/pause:3.5", ["master:8088/", "library/", "pause", ":3.5"]),
        ("quay.io/a/b@sha256", ["quay.io/", "a/", "b", "@sha256"]),
        ("quay.io/a/flannel-2:v0.14.0-arm64", ["quay.io/", "a/", "flannel-", "2", ":v0.14.0-arm64"]),
        ("http://master:8088/yum/", ["http://master:8088/", "yum/"]),
        ("local.repo", ["local.repo"]),
        ("repodata/", ["repodata/"]),
        (":", [":"]),
        ("-1", ["-", "1"]),
        ("", []),
    ],
)
def test_names_end_before_versions_and_behind_slashes(name: str, pieces: list[str]) -> None:
    found = name_pieces(name)
    assert [piece.text for piece in found] == pieces
    assert all(piece.whole for piece in found)


def test_what_is_too_long_for_a_phone_may_break_anywhere() -> None:
    long = "x" * (MAX_NAME_CHARACTERS + 1)
    assert [(piece.text, piece.whole) for piece in name_pieces(f"a/{long}")] == [("a/", True), (long, False)]


def test_what_stands_in_chinese_is_a_word_of_its_own() -> None:
    whole = [piece.text for piece in word_pieces("比对文件的 SHA-256。用mirror serve --verify，再看") if piece.whole]
    assert whole == ["SHA-256", "--verify"]


def test_options_stay_whole_and_so_does_every_byte() -> None:
    text = "curl -fsS http://master:8088/-/edge.sh |\n\tsh -s -- --join  --host edge1 " + "/long" * 20 + "\n"
    found = word_pieces(text)
    assert "".join(piece.text for piece in found) == text
    # a word without any sign is never broken as long as it fits, and what does not fit has to be
    assert [piece.text for piece in found if piece.whole] == ["-fsS", "-s", "--", "--join", "--host"]
    address, path = (piece.parts for piece in found if piece.parts)
    assert [part.text for part in address] == ["http://master:8088/", "-/", "edge.sh"]
    assert {part.text for part in path} == {"/", "long/", "long"}
