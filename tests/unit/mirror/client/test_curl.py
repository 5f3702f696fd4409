"""Files with curl. What fetches a whole bundle makes its list of files with sed, which is run here."""

from __future__ import annotations

import hashlib
import shlex
import subprocess
from typing import Any

import pytest

from mirror.client.curl import curl_snippets
from mirror.client.reach import Reach
from tests.unit.mirror.sites import index_of, offer_from

PLAIN = Reach("master", 8088, False, None)
ODD = "docs/50% off #1? \"a\" 'b' & c.txt"


def texts(contents: dict[str, bytes], about: dict[str, Any] | None = None) -> dict[str, str]:
    return {snippet.name: snippet.text for snippet in curl_snippets(offer_from(index_of(contents, about)), PLAIN)}


def test_one_file_goes_on_where_it_stopped_and_is_held_to_its_digest() -> None:
    _, fetch, check = texts({"docs/notes": b"notes"})["file-http.sh"].splitlines()
    assert shlex.split(fetch) == ["curl", "-gfsS", "-C", "-", "-o", "notes", "http://master:8088/docs/notes"]
    done = subprocess.run(["sh", "-c", check.partition("|")[0]], capture_output=True, text=True, check=True)
    assert done.stdout == f"{hashlib.sha256(b'notes').hexdigest()}  notes\n"
    assert check.endswith("| sha256sum -c -")


def test_a_bundle_of_nothing_but_our_own_lists_has_no_example() -> None:
    assert set(texts({})) == {"bundle-http.sh"}
    assert set(texts({"lock.json": b"", "manifest.yaml": b""})) == {"bundle-http.sh"}


@pytest.mark.parametrize(
    ("contents", "example"),
    [
        (("a.rpm", "yum/repodata/repomd.xml", "notes"), "notes"),
        (("k8simage/index.json", "yum/repodata/repomd.xml"), "yum/repodata/repomd.xml"),
    ],
)
def test_the_example_is_a_plain_file_where_there_is_one(contents: tuple[str, ...], example: str) -> None:
    found = texts(dict.fromkeys(contents, b""), {"a.rpm": {"nevra": "app-1-1.noarch"}})
    assert f"http://master:8088/{example}\n" in found["file-http.sh"]


def test_the_list_of_a_whole_bundle_has_every_name_as_url_and_as_path() -> None:
    lines = texts({})["bundle-http.sh"].splitlines()
    (sed,) = (line.partition(" | ")[0] for line in lines if line.startswith("sed "))
    program = shlex.split(sed)[2]
    sums = f"{'0' * 64}  {ODD}\n"
    done = subprocess.run(["sed", "-n", program], input=sums, capture_output=True, text=True, check=True)
    url, output = done.stdout.splitlines()
    assert url == "url = \"http://master:8088/docs/50%25%20off%20%231%3F%20%22a%22%20'b'%20&%20c.txt\""
    assert output == 'output = "docs/50% off #1? \\"a\\" \'b\' & c.txt"'
