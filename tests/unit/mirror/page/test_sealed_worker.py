"""A worker has given up its rights before it renders: by then everything of the installation is in memory."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[4]
# an audit hook cannot be taken out again, so this is a process of its own
SEALED = """
import sys
from pathlib import Path
from mirror.page.pages import Pages
from tests.fakes.page_server import snippets_for
from tests.fakes.page_views import REACH, directory, served, view
from tests.fakes.served_tree import kubeedge_files, make_index

def refuse(event, arguments):
    if event in ("open", "import", "os.listdir", "os.scandir"):
        raise PermissionError(f"{event} {arguments}")

with served(Path(sys.argv[1]), {"": make_index(kubeedge_files())}) as site:
    sys.addaudithook(refuse)
    pages = Pages()
    for language in ("en", "zh"):
        looks = view("q=kube", language=language, snippets=snippets_for(REACH))
        for path in ("", "yum", "k8simage"):
            assert pages.directory(site, directory(site, path), looks).body
        assert pages.search(site, looks).body
        assert pages.search_data(site, looks).body
        assert pages.problem(404, looks, path="/a/b", site=site).body
        assert pages.asset("page.css") is not None
"""


def test_rendering_opens_and_imports_nothing(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-c", SEALED, tmp_path], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
