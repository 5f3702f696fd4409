"""Two releases of the demo that bring a runtime: what the journey carries."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from tests.integration.portable_python import portable_python, runtime_entry
from tests.integration.ready_runtime import given_runtime

if TYPE_CHECKING:
    from collections.abc import Callable

_DEMO = Path(__file__).parents[2] / "manifests" / "demo.yaml"


def build(out: Path, address: str) -> tuple[Path, Path]:
    """Build release 1 and release 2 in a directory, from the demo's upstream; return their archives.

    Arguments:
        address: of the upstream, as in `--set upstream=`.
    """
    first = build_release(out, address, "1")
    # what both have is pinned already, as for whoever keeps his lock
    shutil.copy(out / "journey-1.lock.json", out / "journey-2.lock.json")
    return first, build_release(out, address, "2")


def build_release(
    out: Path, address: str, release: str, edit: Callable[[str, Path], str] = lambda text, _: text
) -> Path:
    """Build one release, as `build` does, by its lock where there is one; the second has something new.

    Arguments:
        edit: takes the manifest's text and its directory, and returns what it is to be.
    """
    text = _DEMO.read_text().replace('release: "1"', f'release: "{release}"')
    if given := given_runtime():
        text, store = text + given.entry, given.store
        shutil.copy(given.lock, out / f"journey-{release}.lock.json")
    else:
        cache = Path.home() / ".cache" / "kubeedge-bundler-demo"
        cache.mkdir(parents=True, exist_ok=True)
        text, store = text + runtime_entry(portable_python(cache)), out / "store"
    if release == "2":
        (out / "news.txt").write_text("what is new in release 2\n")
        text = text.replace("files:\n", "files:\n  - {path: docs/news.txt, url: news.txt}\n", 1)
    manifest, archive = out / f"journey-{release}.yaml", out / f"journey-{release}.tar.gz"
    manifest.write_text(edit(text, out))
    options = ["--set", f"upstream={address}", "--store", str(store)]
    for words in (["lock", str(manifest)], ["build", str(manifest), "-o", str(archive)]):
        command = [sys.executable, "-m", "bundler", *words, *options]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        if done.returncode:
            raise SystemExit(f"{done.stdout}{done.stderr}\nscripts/demo: release {release} cannot be built")
    return archive
