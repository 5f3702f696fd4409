"""A headless Chromium, driven through chromedriver's HTTP API (W3C WebDriver, and chromedriver's door to CDP)."""

from __future__ import annotations

import base64
import contextlib
import errno
import http.client
import json
import os
import shutil
import subprocess
import time
from typing import TYPE_CHECKING, Any, Self

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

FLAGS = (
    *("--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run"),
    *("--disable-background-networking", "--disable-component-update", "--disable-sync", "--disable-dev-shm-usage"),
)
WAIT_S = 10.0
_ELEMENT = "element-6066-11e4-a52e-4f735466cecf"
KEYS = {"Tab": "\ue004", "Escape": "\ue00c", "ArrowDown": "\ue015", "ArrowUp": "\ue013", "Enter": "\ue007"}


class BrowserError(Exception):
    """Chromedriver's own words about a command that failed."""


class Chromium:
    """One browser window. Raises FileNotFoundError when a program is missing, so that tests skip at home.

    Arguments:
        profile: an empty directory.
        flags: further ones of the command line.
    """

    def __init__(self, profile: Path, flags: Sequence[str] = ()) -> None:
        self._profile = profile
        self._flags = flags
        self._session = ""

    def __enter__(self) -> Self:
        if shutil.which("chromium") is None:
            raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT), "chromium")
        log = (self._profile / "chromedriver.log").open("w")
        self._driver = subprocess.Popen(["chromedriver", "--port=0"], stdout=subprocess.PIPE, stderr=log, text=True)
        try:
            self._port = self._chosen_port()
            self._start()
        except BaseException:
            self._driver.kill()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        with contextlib.suppress(BrowserError, OSError):
            self._call("DELETE", "")
        self._driver.terminate()
        self._driver.wait()

    def _chosen_port(self) -> int:
        assert self._driver.stdout is not None
        for line in self._driver.stdout:
            if "successfully on port" in line:
                return int(line.rsplit(maxsplit=1)[1].rstrip("."))
        raise BrowserError("chromedriver ended before it listened")

    def _start(self) -> None:
        arguments = [*FLAGS, f"--user-data-dir={self._profile / 'user'}", *self._flags]
        capabilities = {
            "goog:chromeOptions": {"args": arguments},
            "goog:loggingPrefs": {"browser": "ALL", "performance": "ALL"},
        }
        answer = self._request("POST", "/session", {"capabilities": {"alwaysMatch": capabilities}})
        self._session = f"/session/{answer['sessionId']}"

    def _request(self, method: str, path: str, body: object = None) -> Any:
        connection = http.client.HTTPConnection("127.0.0.1", self._port, timeout=60)
        try:
            connection.request(method, path, None if body is None else json.dumps(body).encode())
            value = json.loads(connection.getresponse().read())["value"]
        finally:
            connection.close()
        if isinstance(value, dict) and "error" in value:
            raise BrowserError(f"{method} {path}: {value['message']}")
        return value

    def _call(self, method: str, path: str, body: object = None) -> Any:
        return self._request(method, self._session + path, body)

    def open(self, url: str) -> None:
        """Load a page, and return when it is loaded."""
        self._call("POST", "/url", {"url": url})

    @property
    def url(self) -> str:
        """The address that is shown."""
        return str(self._call("GET", "/url"))

    def run(self, script: str, *arguments: object) -> Any:
        """Run the body of a function in the page and return its value, awaited."""
        return self._call("POST", "/execute/sync", {"script": script, "args": list(arguments)})

    def cdp(self, command: str, **parameters: object) -> Any:
        """Send a command of the Chrome DevTools protocol."""
        return self._call("POST", "/goog/cdp/execute", {"cmd": command, "params": parameters})

    def click(self, selector: str) -> None:
        """Click what a person would click: it has to be visible and not covered."""
        self._call("POST", f"/element/{self._find(selector)}/click", {})

    def _find(self, selector: str) -> str:
        return str(self._call("POST", "/element", {"using": "css selector", "value": selector})[_ELEMENT])

    def press(self, *keys: str) -> None:
        """Press keys one after the other, by their names or as they are."""
        downs_and_ups = [
            {"type": kind, "value": KEYS.get(key, key)} for key in keys for kind in ("keyDown", "keyUp")
        ]  # fmt: skip
        self._call("POST", "/actions", {"actions": [{"type": "key", "id": "keyboard", "actions": downs_and_ups}]})

    def text(self, selector: str) -> str:
        """Return an element's text as it is shown."""
        return str(self._call("GET", f"/element/{self._find(selector)}/text"))

    def wait_for(self, script: str, *arguments: object) -> Any:
        """Run a script until its value is true, and return it; AssertionError after `WAIT_S`."""
        return wait_for(lambda: self.run(script, *arguments), script)

    def size(self, width: int, height: int, *, dark: bool = False, phone: bool = False) -> None:
        """Set the viewport in CSS pixels, and the colours that the system prefers."""
        self.cdp("Emulation.setDeviceMetricsOverride", width=width, height=height, deviceScaleFactor=1, mobile=phone)
        self.prefer(dark=dark)

    def prefer(self, *, dark: bool) -> None:
        """Set the colours that the system prefers."""
        value = "dark" if dark else "light"
        self.cdp("Emulation.setEmulatedMedia", features=[{"name": "prefers-color-scheme", "value": value}])

    def scripts(self, *, on: bool) -> None:
        """Forbid or allow scripts, from the next page on."""
        self.cdp("Emulation.setScriptExecutionDisabled", value=not on)

    def log(self, kind: str) -> list[dict[str, Any]]:
        """Return the new lines of a log: `browser`, the console; `performance`, events of the protocol."""
        return list(self._call("POST", "/se/log", {"type": kind}))

    def requested_hosts(self) -> set[str]:
        """Return host and port of every request since the last call."""
        messages = [json.loads(line["message"])["message"] for line in self.log("performance")]
        urls = [each["params"]["request"]["url"] for each in messages if each["method"] == "Network.requestWillBeSent"]
        return {url.split("/")[2] for url in urls if url.startswith(("http", "ws"))}

    def screenshot(self, file: Path, *, whole: bool = True) -> None:
        """Save what is shown, or the whole page, as PNG."""
        shot = self.cdp("Page.captureScreenshot", captureBeyondViewport=whole)
        file.write_bytes(base64.b64decode(shot["data"]))


def wait_for(condition: Callable[[], Any], what: str) -> Any:
    """Return a condition's first true value; AssertionError after `WAIT_S`."""
    end = time.monotonic() + WAIT_S
    while not (value := condition()):
        assert time.monotonic() < end, f"never came true: {what}"
        time.sleep(0.02)
    return value
