"""What waits for a thread: passwords that come in numbers, and digests that many ask for."""

from __future__ import annotations

import asyncio
import threading
from typing import TYPE_CHECKING, Any

from mirror.http.auth import BasicCredentials
from mirror.http.thread_work import MAX_WAITING_LOGINS, ThreadWork
from tests.unit.mirror.bundle_tree import file_at, opened, site_of, write_bundle

if TYPE_CHECKING:
    from pathlib import Path


class SlowUsers:
    """Users whose passwords take as long as the test wants."""

    def __init__(self) -> None:
        self.gate = threading.Event()
        self.asked: list[str] = []

    def check(self, name: str, _password: bytes) -> bool:
        self.gate.wait(60)
        self.asked.append(name)
        return name == "anna"


def test_passwords_are_checked_one_after_the_other_and_not_without_end() -> None:
    async def main() -> list[bool | None]:
        work = ThreadWork(asyncio.get_running_loop())
        waiting = [
            asyncio.ensure_future(work.check_password(users, BasicCredentials("anna" if number % 2 else "eve", b"")))
            for number in range(MAX_WAITING_LOGINS)
        ]
        await asyncio.sleep(0)
        assert await work.check_password(users, BasicCredentials("late", b"")) is None
        users.gate.set()
        answers = await asyncio.gather(*waiting)
        assert await work.check_password(users, BasicCredentials("anna", b"")) is True
        work.close()
        return answers

    users: Any = SlowUsers()
    assert asyncio.run(main()) == [bool(number % 2) for number in range(MAX_WAITING_LOGINS)]
    assert "late" not in users.asked


def test_who_gives_up_does_not_end_it_for_the_others(tmp_path: Path) -> None:
    async def main() -> None:
        work = ThreadWork(asyncio.get_running_loop())
        impatient = asyncio.ensure_future(work.hash_again(file))
        patient = asyncio.ensure_future(work.hash_again(file))
        await asyncio.sleep(0)
        impatient.cancel()
        again, _ = await patient
        assert again is not None
        assert again.path == "empty"
        work.close()

    with opened(write_bundle(tmp_path)) as root:
        file = file_at(site_of(root), "empty")
        asyncio.run(main())


def test_two_directories_with_one_bundle_are_looked_at_each_for_itself(tmp_path: Path) -> None:
    async def main() -> None:
        work = ThreadWork(asyncio.get_running_loop())
        damaged, whole = await asyncio.gather(*(work.hash_again(file) for file in files))
        assert damaged[0] is None
        assert whole[0] is not None
        assert whole[0].place == files[1].place
        work.close()

    for name in ("one", "two"):
        write_bundle(tmp_path / name)
    with opened(tmp_path) as root:
        site = site_of(root)
        files = [file_at(site, f"@{name}/yum/repodata/repomd.xml") for name in ("one", "two")]
        assert files[0].bundle == files[1].bundle
        (tmp_path / "one/yum/repodata/repomd.xml").write_bytes(b"<repOmd/>\n")
        asyncio.run(main())
