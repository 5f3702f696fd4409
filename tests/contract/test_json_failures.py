"""With --json every failure of every command is one object on stdout; the text for people stays on stderr."""

from __future__ import annotations

import errno
import json
import os
import re
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import pytest

from tests.contract.checkout import ROOT
from tests.contract.command_line import commands

if TYPE_CHECKING:
    from pathlib import Path

    import click

KEYS = {"schema", "id", "code", "what", "where", "remedy"}
# what the system says of its errors is the system's
SYSTEM = sorted(map(os.strerror, errno.errorcode), key=len, reverse=True)
# how each command that has --json fails for want of what it is given, and what then stands under `id`
MISSING: dict[tuple[str, ...], tuple[str, str]] = {
    ("bundler", "check"): ("no.yaml", "manifest-unreadable"),
    ("bundler", "plan"): ("no.yaml", "manifest-unreadable"),
    ("bundler", "build"): ("no.yaml", "manifest-unreadable"),
    ("bundler", "lock"): ("no.yaml", "manifest-unreadable"),
    ("bundler", "sign"): ("no.tar.gz --sign no.key", "storage-unusable"),
    ("bundler", "keygen"): ("no/such/directory", "storage-unusable"),
    ("bundler", "trust", "list"): ("--directory /dev/null", "storage-unusable"),
    ("bundler", "trust", "admit"): ("no", "bundle-not-found"),
    ("bundler", "trust", "draft"): ("no.pem --number 1", "storage-unusable"),
    ("bundler", "trust", "rotate"): ("no.json", "storage-unusable"),
    ("bundler", "inspect"): ("no.tar.gz", "bundle-not-found"),
    ("bundler", "verify"): ("no.tar.gz", "bundle-not-found"),
    ("bundler", "merge"): ("no.tar.gz other.tar.gz", "bundle-not-found"),
    ("bundler", "split"): ("no.tar.gz", "bundle-not-found"),
    ("bundler", "repair"): ("no.tar.gz", "parity-not-found"),
    ("bundler", "unpack"): ("no.tar.gz -C there", "bundle-not-found"),
    ("bundler", "bundles"): ("--root no", "storage-unusable"),
    ("bundler", "activate"): ("x --root .", "bundle-unknown"),
    ("bundler", "remove"): ("x --root .", "bundle-unknown"),
    ("bundler", "load-images"): ("", "engine-unreachable"),
    ("bundler", "push-images"): ("--root no --registry 127.0.0.1:1", "bundle-not-found"),
    ("bundler", "robot", "create"): (
        "--project p -o f --registry 127.0.0.1:1 --username u --password-stdin --plain-http",
        "push-unreachable",
    ),
    ("bundler", "site", "init"): (".", "site-config-exists"),
    ("bundler", "site", "check-config"): ("", "site-config-invalid"),
    ("bundler", "site", "ca"): ("", "site-config-invalid"),
    ("bundler", "site", "plan"): ("cloud", "site-config-invalid"),
    ("bundler", "site", "apply"): ("edge", "site-config-invalid"),
    ("bundler", "site", "check"): ("cloud", "site-config-invalid"),
    ("bundler", "site", "invite"): ("--host edge1", "site-config-invalid"),
    ("bundler", "site", "join"): ("--mirror http://127.0.0.1:1 --code-file no", "site-code-invalid"),
    ("bundler", "site", "fleet"): ("plan edge --hosts all", "site-config-invalid"),
    ("bundler", "site", "undo"): ("edge", "site-config-invalid"),
    ("bundler", "site", "doctor"): ("", "site-config-invalid"),
    ("bundler", "site", "token"): ("", "site-config-invalid"),
    ("bundler", "diff"): ("no.lock.json no.lock.json", "bundle-not-found"),
    ("bundler", "store", "info"): (f"--store {'x' * 300}", "storage-unusable"),
    ("bundler", "store", "prune"): ("no.lock.json", "bundle-not-found"),
    ("mirror", "clients"): ("--root no", "serve-root-unusable"),
    ("mirror", "verify"): ("http://127.0.0.1:1", "source-unreachable"),
    ("mirror", "service", "status"): ("", "service-failed"),
}


def with_json() -> dict[tuple[str, ...], click.Command]:
    return {
        words: command
        for words, command in commands().items()
        if any("--json" in parameter.opts for parameter in command.params)
    }


def run(directory: Path, *words: str, **environment: str) -> tuple[int, Any, str]:
    """Return exit code, the one object on stdout, and stderr."""
    done = subprocess.run(
        [sys.executable, "-m", *words],
        cwd=directory,
        env={**os.environ, "PYTHONPATH": str(ROOT), "DOCKER_HOST": "unix:///nonexistent/docker.sock", **environment},
        capture_output=True,
        text=True,
        input="secret\n",
        check=False,
        timeout=120,
    )
    return done.returncode, json.loads(done.stdout), done.stderr


def test_every_command_with_json_is_tried() -> None:
    assert set(with_json()) == set(MISSING)


@pytest.mark.parametrize("words", MISSING, ids=" ".join)
def test_a_failure_is_one_object(words: tuple[str, ...], tmp_path: Path) -> None:
    arguments, error_id = MISSING[words]
    code, value, stderr = run(tmp_path, *words, *arguments.split(), "--json")
    failure = value.get("error", value)
    assert failure["schema"] == f"{words[0]}.error/1"
    assert failure.keys() >= KEYS
    assert failure.keys() - KEYS <= {"problems"}
    assert (failure["id"], failure["code"]) == (error_id, code), stderr
    assert failure["what"]
    assert failure["remedy"]
    assert failure["where"] is None or failure["where"]
    assert f"[{error_id}]" in stderr


@pytest.mark.parametrize("words", MISSING, ids=" ".join)
def test_a_usage_error_is_one_too(words: tuple[str, ...], tmp_path: Path) -> None:
    code, value, stderr = run(tmp_path, *words, "--no-such-option", "--json")
    assert value.keys() == KEYS
    assert value["remedy"].endswith(f"{' '.join(words)} --help`.")
    assert (code, value["id"], value["code"], value["where"]) == (2, "usage", 2, None)
    assert "--no-such-option" in value["what"]
    assert "--no-such-option" in stderr


@pytest.mark.parametrize("words", list(MISSING)[::4], ids=" ".join)
def test_in_chinese_it_has_the_same_keys_and_words_for_programs(words: tuple[str, ...], tmp_path: Path) -> None:
    arguments, error_id = MISSING[words]
    spoken = {"LC_ALL": "zh_CN.UTF-8", "PYTHONUTF8": "1"}
    code, value, stderr = run(tmp_path, *words, *arguments.split(), "--json", **spoken)
    failure = value.get("error", value)
    assert (failure["schema"], failure["id"], failure["code"]) == (f"{words[0]}.error/1", error_id, code)
    assert failure.keys() - {"problems"} == KEYS
    assert english_words(failure["what"]) == english_words(failure["remedy"]) == []
    assert stderr.endswith(f"[{error_id}]\n")
    assert english_words(stderr) == []


def english_words(text: str) -> list[str]:
    """Return runs of two words that are no code, no path and no name."""
    for words in SYSTEM:
        text = text.replace(words, "")
    plain = re.sub(r"`[^`]*`|\[[a-z-]+\]", "", text)
    return re.findall(r"(?<![\w/.-])[a-z]{2,} [a-z]{2,}(?![\w/.-])", plain)


def test_a_usage_error_in_chinese(tmp_path: Path) -> None:
    code, value, stderr = run(tmp_path, "bundler", "verify", "--nope", "--json", LC_ALL="zh_CN.UTF-8", PYTHONUTF8="1")
    assert (code, value["id"], value.keys()) == (2, "usage", KEYS)
    assert value["what"].startswith("没有选项")
    assert value["remedy"] == "请看 `bundler verify --help`。"
    assert "用法：bundler verify" in stderr


def test_the_variable_asks_for_it_as_the_option_does(tmp_path: Path) -> None:
    assert run(tmp_path, "bundler", "verify", "no", BUNDLER_JSON="1")[1]["id"] == "bundle-not-found"
    assert run(tmp_path, "mirror", "nothing", MIRROR_JSON="true")[1]["id"] == "usage"


@pytest.mark.parametrize("encoding", ["utf-8:strict", "ascii:strict", "utf-8:surrogateescape"])
def test_a_name_that_is_no_text_is_in_it(tmp_path: Path, encoding: str) -> None:
    name = os.fsdecode(b"no\xff\xe4\xb8\x87.tar.gz")
    _, value, _ = run(tmp_path, "bundler", "verify", name, "--json", PYTHONIOENCODING=encoding)
    assert (value["id"], value["where"]) == ("bundle-not-found", name)


def test_all_problems_of_a_manifest_are_in_it(tmp_path: Path) -> None:
    (tmp_path / "m.yaml").write_text("version: 1\nname: demo\nx: 1\ny: 2\n")
    code, value, _ = run(tmp_path, "bundler", "check", "m.yaml", "--json")
    assert (code, value["id"], len(value["problems"])) == (3, "manifest-invalid", 3)


def test_without_it_nothing_stands_on_stdout(tmp_path: Path) -> None:
    for words in (["bundler", "verify", "no"], ["bundler", "verify"], ["bundler", "verify", "no", "--", "--json"]):
        with pytest.raises(json.JSONDecodeError):
            run(tmp_path, *words)
