"""install.sh in every shell that a host may have: what it refuses, links, plans, and takes away again."""

from __future__ import annotations

import os
import platform
import shutil
import subprocess
import tarfile
from typing import TYPE_CHECKING

import pytest

from bundler.kinds.runtime.own_scripts import INSTALL_PATH, own_scripts
from bundler.model.progress import Unwatched
from mirror.service.unit import unit_word
from tests.integration.bare_path import path_with
from tests.integration.push_script import SHELLS
from tests.sources import unpack
from tests.unit.archive.bundles import CONTENTS, files_below, sample
from tests.unit.archive.deltas import CHANGED, NEW_CONTENTS, delta

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.integration
SCRIPT = own_scripts()[INSTALL_PATH]
MACHINE = platform.machine()
# what the commands of a runtime say; real ones run on the hosts of tests/hosts
ANSWERING = b'#!/bin/sh\necho "$(basename "$0")" "$@" | sed "s/^bundler --version$/bundler, version 1/"\n'
TOOL = {
    "bin/bundler": ANSWERING,
    "bin/mirror": ANSWERING,
    f"runtime/{MACHINE}/python": b"a program",
    "with blank/and 'quote": b"odd",
    "install.sh": SCRIPT,
}
TOOLS = ("awk", "basename", "cat", "df", "getconf", "ldd", "ln", "mkdir", "mktemp", "mv", "readlink", "rm", "rmdir")
MORE_TOOLS = ("sed", "sh", "sort", "uname", "grep")
WITHIN_S = 60


@pytest.fixture
def bundle(tmp_path: Path) -> Path:
    """An unpacked bundle with a tool, below a directory with a blank in its name."""
    return made(tmp_path, tmp_path / "a place/opt")


def made(scratch: Path, target: Path, **more: bytes) -> Path:
    bundle = sample(scratch / f"{target.name}.store", {**CONTENTS, **TOOL, **more})
    bundle.write(scratch / f"{target.name}.tar.gz")
    unpack(scratch / f"{target.name}.tar.gz", target, Unwatched())
    # which files a bundle makes executable is for its kinds to say
    for name in ("bin/bundler", "bin/mirror"):
        (target / name).chmod(0o755)
    return target


def run(
    shell: str, bundle: Path, *words: str, code: int = 0, path: str = os.environ["PATH"]
) -> subprocess.CompletedProcess[str]:
    done = subprocess.run(
        [*shell.split(), str(bundle / "install.sh"), *words],
        cwd="/",
        env={"PATH": path, "TMPDIR": "/tmp"},
        capture_output=True,
        text=True,
        timeout=WITHIN_S,
        check=False,
    )
    assert done.returncode == code, done.stdout + done.stderr
    return done


@pytest.mark.parametrize("shell", SHELLS)
def test_the_commands_are_linked_and_taken_away_again(tmp_path: Path, bundle: Path, shell: str) -> None:
    before = files_below(bundle)
    prefix = tmp_path / "usr local"
    first = run(shell, bundle, "--prefix", str(prefix))
    assert "all intact" in first.stdout
    assert "bundler, version 1 runs on this host" in first.stdout
    for name in ("bundler", "mirror"):
        assert (prefix / "bin" / name).readlink() == bundle / "bin" / name
    again = run(shell, bundle, f"--prefix={prefix}")
    assert again.stdout.count(": present") == 2
    assert f"'{prefix}/bin/bundler' load-images --root '{bundle}'" in again.stdout
    assert {path.name for path in (prefix / "bin").iterdir()} == {"bundler", "mirror"}
    run(shell, bundle, "--uninstall", "--prefix", str(prefix))
    assert list((prefix / "bin").iterdir()) == []
    run(shell, bundle, "--uninstall", "--prefix", str(prefix))
    assert files_below(bundle) == before


@pytest.mark.parametrize("shell", SHELLS)
def test_a_plan_changes_nothing_and_reads_the_index_alone(tmp_path: Path, bundle: Path, shell: str) -> None:
    for path in (*bundle.glob("k8simage/*"), *bundle.glob("kubeedge/*")):
        if path.is_file():
            path.unlink()
    (bundle / "SHA256SUMS").unlink()
    before = {path: path.lstat().st_mtime_ns for path in (*tmp_path.rglob("*"),)}
    told = run(shell, bundle, "--plan", "--prefix", str(tmp_path / "p"), "--mirror").stdout
    assert {path: path.lstat().st_mtime_ns for path in tmp_path.rglob("*")} == before
    files = len(CONTENTS) + len(TOOL) + 2
    assert f"bundle: {bundle}, {files} files, 1 MiB" in told
    assert f"to do: link {tmp_path}/p/bin/mirror to {bundle}/bin/mirror" in told
    assert f"to do: '{bundle}/bin/mirror' service install -- --root '{bundle}'" in told
    assert "MiB free, for /var/lib/docker, its images" in told
    assert "NOT ENOUGH" not in told


@pytest.mark.parametrize("shell", SHELLS)
@pytest.mark.parametrize("harm", ["bytes", "gone", "link", "sums gone", "sums empty"])
def test_a_damaged_bundle_is_not_run(tmp_path: Path, bundle: Path, shell: str, harm: str) -> None:
    victim, sums = bundle / "with blank/and 'quote", bundle / "SHA256SUMS"
    if harm == "bytes":
        victim.write_bytes(b"ode")
    elif harm.startswith("sums"):
        sums.write_bytes(b"") if harm == "sums empty" else sums.unlink()
    else:
        victim.unlink()
        if harm == "link":
            (tmp_path / "same").write_bytes(b"odd")
            victim.symlink_to(tmp_path / "same")
    done = run(shell, bundle, "--prefix", str(tmp_path / "p"), code=5)
    assert ("with blank/and 'quote" in done.stdout) == (not harm.startswith("sums"))
    assert "version 1" not in done.stdout
    assert not (tmp_path / "p").exists()


@pytest.mark.parametrize("shell", SHELLS)
def test_a_delta_that_tar_has_unpacked_says_what_completes_it(tmp_path: Path, shell: str) -> None:
    made = delta(tmp_path, {**NEW_CONTENTS, **TOOL})
    root = tmp_path / "opt"
    with tarfile.open(made.archive) as tar:
        tar.extractall(root, filter="tar")
    done = run(shell, root, code=5)
    assert "bundler unpack ARCHIVE --root DIR" in done.stderr
    (root / CHANGED).write_bytes(b"other bytes")
    assert "damaged or missing" in run(shell, root, code=5).stdout


@pytest.mark.parametrize("program", ["sha256sum", "busybox", "openssl"])
def test_sums_are_checked_by_what_is_there(tmp_path: Path, bundle: Path, program: str) -> None:
    path = path_with(tmp_path / "path", (*TOOLS, *MORE_TOOLS, program))
    assert "all intact" in run("/bin/sh", bundle, path=path).stdout
    (bundle / "harbor/empty").write_bytes(b"x")
    assert "damaged or missing: harbor/empty" in run("/bin/sh", bundle, code=5, path=path).stdout


def test_without_any_of_them_nothing_is_claimed(tmp_path: Path, bundle: Path) -> None:
    done = run("/bin/sh", bundle, code=9, path=path_with(tmp_path / "path", (*TOOLS, *MORE_TOOLS)))
    assert "neither sha256sum nor busybox nor openssl" in done.stderr
    assert "intact" not in done.stdout


@pytest.mark.parametrize("shell", SHELLS)
def test_somebody_s_own_command_stays(tmp_path: Path, bundle: Path, shell: str) -> None:
    other = tmp_path / "p/bin/bundler"
    other.parent.mkdir(parents=True)
    for what in ("file", "link", "dangling"):
        other.unlink(missing_ok=True)
        if what == "file":
            other.write_bytes(b"Ruby's")
        else:
            other.symlink_to("/bin/true" if what == "link" else "/nowhere/bin/bundler")
        done = run(shell, bundle, "--prefix", str(tmp_path / "p"), code=9)
        assert "somebody else's (bundler is also a command of Ruby)" in done.stderr
        assert "is somebody else's" in run(shell, bundle, "--plan", "--prefix", str(tmp_path / "p")).stdout
        run(shell, bundle, "--uninstall", "--prefix", str(tmp_path / "p"))
        assert os.path.lexists(other)


@pytest.mark.parametrize("shell", SHELLS)
def test_beside_others_the_links_follow_the_active_one(tmp_path: Path, shell: str) -> None:
    root = tmp_path / "root"
    one, other = made(tmp_path, root / "demo-1"), made(tmp_path, root / "demo-2", more=b"x")
    (root / "current").symlink_to("demo-1")
    prefix = tmp_path / "p"
    run(shell, one, "--prefix", str(prefix))
    assert (prefix / "bin/bundler").readlink() == root / "current/bin/bundler"
    assert "present" in run(shell, other, "--prefix", str(prefix)).stdout
    assert f"--root '{root}'\n" in run(shell, other, "--plan", "--mirror").stdout
    run(shell, other, "--uninstall", "--purge", "--prefix", str(prefix))
    assert not other.exists()
    assert list((prefix / "bin").iterdir()) == []
    assert "is the active bundle" in run(shell, one, "--uninstall", "--purge", code=9).stderr
    assert (one / "bin/bundler").exists()


@pytest.mark.parametrize("shell", SHELLS)
def test_purging_removes_the_bundle_s_files_and_nothing_else(tmp_path: Path, bundle: Path, shell: str) -> None:
    (bundle / "harbor/harbor.yml").write_bytes(b"password: x")
    (bundle / "edge.db").write_bytes(b"x")
    (tmp_path / "outside").write_bytes(b"x")
    run(shell, bundle, "--uninstall", "--purge", "--prefix", str(tmp_path / "p"))
    assert files_below(bundle) == {"harbor/harbor.yml": b"password: x", "edge.db": b"x"}
    assert {path.name for path in bundle.iterdir()} == {"harbor", "edge.db"}
    assert (tmp_path / "outside").exists()


@pytest.mark.parametrize("shell", SHELLS)
def test_a_list_that_is_cut_short_vouches_for_nothing(bundle: Path, shell: str) -> None:
    sums = bundle / "SHA256SUMS"
    whole = sums.read_bytes()
    sums.write_bytes(b"".join(whole.splitlines(keepends=True)[:5]))
    assert "SHA256SUMS has 5 lines" in run(shell, bundle, code=5).stderr
    # its last line is one, with or without its end
    sums.write_bytes(whole[:-1])
    assert "all intact" in run(shell, bundle).stdout
    (bundle / "yum/repodata/repomd.xml").write_bytes(b"other")
    assert "damaged or missing: yum/repodata/repomd.xml" in run(shell, bundle, code=5).stdout


@pytest.mark.parametrize("shell", SHELLS)
def test_purging_leads_nowhere_else(tmp_path: Path, bundle: Path, shell: str) -> None:
    (bundle.parent / "victim").write_bytes(b"x")
    shutil.move(bundle / "yum", tmp_path / "theirs")
    (bundle / "yum").symlink_to(tmp_path / "theirs")
    with (bundle / "SHA256SUMS").open("a") as sums:
        sums.write(f"{'0' * 64}  ../victim\n{'0' * 64}  kubeedge/../../victim\n")
    for name in ("subset.json", ".bundles.json", "SHA256SUMS.sig", "SHA256SUMS.sig.0123456789abcdef"):
        (bundle / name).write_bytes(b"{}")
    run(shell, bundle, "--uninstall", "--purge", "--prefix", str(tmp_path / "p"))
    assert (bundle.parent / "victim").exists()
    assert files_below(tmp_path / "theirs").keys() == {"repodata/repomd.xml"}
    assert [path.name for path in bundle.iterdir()] == ["yum"]


@pytest.mark.parametrize("shell", SHELLS)
def test_a_shell_that_ends_at_errors_does_all_of_it(tmp_path: Path, shell: str) -> None:
    root = tmp_path / "o'clock"
    one, other = made(tmp_path, root / "demo-1"), made(tmp_path, root / "demo-2", more=b"x")
    (root / ".bundles.json").write_bytes(b"{}")
    told = run(f"{shell} -eu", one, "--prefix", str(tmp_path / "p")).stdout
    assert f"load-images --root '{tmp_path}/o'\\''clock/demo-1'" in told
    run(f"{shell} -eu", one, "--uninstall", "--purge", "--prefix", str(tmp_path / "p"))
    assert {path.name for path in root.iterdir()} == {"demo-2", ".bundles.json"}
    run(f"{shell} -eu", other, "--uninstall", "--purge", "--prefix", str(tmp_path / "p"))
    assert list(root.iterdir()) == []


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can put another directory of units in place")
@pytest.mark.parametrize(
    ("command", "is_ours"),
    [
        ("/usr/bin/python3 -I -m mirror serve --root {root}", True),
        ('/usr/bin/python3 -I -m mirror serve --root "{root}" --ftp off', True),
        ('"{root}/bin/mirror" serve --root /srv', True),
        ("/usr/bin/python3 -I -m mirror serve --root {root}2", False),
        ("{root}2/current/bin/mirror serve --root {root}2/other", False),
        ("/usr/bin/python3 -I -m mirror serve --root /srv{root}", False),
    ],
)
def test_the_service_of_another_root_stays(tmp_path: Path, command: str, is_ours: bool) -> None:
    bundle = made(tmp_path, tmp_path / "opt")
    units = tmp_path / "units"
    units.mkdir()
    (units / "kubeedge-mirror.service").write_text(f"# {bundle}\n[Service]\nExecStart={command.format(root=bundle)}\n")
    script = (
        f"mount --bind '{units}' /etc/systemd/system && exec sh '{bundle}/install.sh' --uninstall --prefix /nowhere"
    )
    done = subprocess.run(["unshare", "-m", "sh", "-c", script], capture_output=True, text=True, check=True)
    assert ("mirror service remove" in done.stdout) == is_ours


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can put another directory of units in place")
@pytest.mark.parametrize("shell", SHELLS)
def test_the_service_of_an_awkwardly_named_root_is_known(tmp_path: Path, shell: str) -> None:
    bundle = made(tmp_path, tmp_path / """o%d $x 'q' "d" \\ b""")
    (tmp_path / "units").mkdir()
    for words in ([f"{bundle}/bin/mirror", "serve"], ["/usr/bin/python3", "serve", "--root", str(bundle)]):
        line = " ".join(map(unit_word, words))
        (tmp_path / "units/kubeedge-mirror.service").write_text(f"[Service]\nExecStart={line}\n")
        script = (
            'mount --bind "$UNITS" /etc/systemd/system && '
            'exec $SHELL_USED "$BUNDLE/install.sh" --uninstall --prefix /nowhere'
        )
        given = {"UNITS": str(tmp_path / "units"), "BUNDLE": str(bundle), "SHELL_USED": shell}
        done = subprocess.run(
            ["unshare", "-m", "sh", "-c", script], env=os.environ | given, capture_output=True, text=True, check=True
        )
        assert "mirror service remove" in done.stdout


def test_another_architecture_and_an_old_or_foreign_libc_are_named(tmp_path: Path, bundle: Path) -> None:
    path = path_with(tmp_path / "path", (*(set(TOOLS) - {"getconf", "ldd"}), *MORE_TOOLS, "sha256sum"))
    for said, words in (
        ("glibc 2.12", "glibc 2.12, and the tool needs 2.17 or newer"),
        ("glibc 1.99", "glibc 1.99, and the tool needs"),
    ):
        (tmp_path / "path/getconf").write_text(f"#!/bin/sh\necho {said}\n")
        (tmp_path / "path/getconf").chmod(0o755)
        assert words in run("/bin/sh", bundle, code=9, path=path).stderr
    for said in ("glibc 2.17", "glibc 2.9.9", "glibc 3.0"):
        (tmp_path / "path/getconf").write_text(f"#!/bin/sh\necho {said}\n")
        run("/bin/sh", bundle, code=9 if "2.9" in said else 0, path=path)
    (tmp_path / "path/getconf").unlink()
    (bundle / f"runtime/{MACHINE}").rename(bundle / "runtime/sparc64")
    done = run("/bin/sh", bundle, code=9, path=path)
    assert f"this host is {MACHINE}, and the bundle brings its tool for: nothing" in done.stderr
    assert "k8simage need no tool" in done.stderr


@pytest.mark.parametrize(
    "words",
    ["--what", "--prefix", "--purge", "--uninstall --mirror", "-- --ftp off", "--prefix="],
)
def test_wrong_arguments_change_nothing(bundle: Path, words: str) -> None:
    before = files_below(bundle)
    run("/bin/sh", bundle, *words.split(), code=2)
    assert files_below(bundle) == before


def test_a_tool_that_does_not_run_is_told(bundle: Path) -> None:
    (bundle / "bin/bundler").chmod(0o644)
    assert "noexec" in run("/bin/sh", bundle, code=9).stderr
