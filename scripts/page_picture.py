"""What `scripts/page-picture` does: the start page of a real mirror of the demo's bundle, in both languages."""

from __future__ import annotations

import base64
import subprocess
import sys
import tempfile
from pathlib import Path

from tests.integration.demo_bundle import demo_bundle
from tests.integration.mirror_program import eventually, mirror
from tests.integration.page.chromium import Chromium

PICTURES = Path(__file__).parents[1] / "docs" / "pictures"
# language -> name of the file
NAMES = {"en": "page.webp", "zh": "page.zh-CN.webp"}
WIDTH, HEIGHT, QUALITY = 1280, 800, 70
# as a site would call it
ADDRESS = "master:8088"


def main() -> int:
    """Write the pictures and print their names; 1 where no Chinese font is installed."""
    if not subprocess.run(["fc-list", ":lang=zh"], capture_output=True, check=True).stdout:
        print("scripts/page-picture: no font here has Chinese signs; install fonts-droid-fallback", file=sys.stderr)
        return 1
    PICTURES.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory() as name:
        directory = Path(name)
        directory.chmod(0o755)
        (directory / "site").mkdir()
        (directory / "profile").mkdir()
        _take(demo_bundle(directory / "site"), directory / "profile")
    return 0


def _take(tree: Path, profile: Path) -> None:
    with mirror(tree, "--verify") as running:
        flags = [f"--host-resolver-rules=MAP {ADDRESS} 127.0.0.1:{running.port}", "--hide-scrollbars"]
        with Chromium(profile, flags) as browser:
            browser.size(WIDTH, HEIGHT)
            for language, file in NAMES.items():
                browser.open(f"http://{ADDRESS}/?lang={language}")
                eventually(lambda: browser.run("return document.readyState") == "complete", "the page is there")
                shot = browser.cdp("Page.captureScreenshot", format="webp", quality=QUALITY)
                (PICTURES / file).write_bytes(base64.b64decode(shot["data"]))
                print(PICTURES / file)


if __name__ == "__main__":
    sys.exit(main())
