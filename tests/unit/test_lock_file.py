from __future__ import annotations

import threading
from typing import TYPE_CHECKING

from bundler.lock_file import locked

if TYPE_CHECKING:
    from pathlib import Path


def test_one_at_a_time_even_though_each_removes_the_file(tmp_path: Path) -> None:
    inside: list[int] = []
    most: list[int] = []
    never = threading.Event()

    def work(number: int) -> None:
        for _ in range(20):
            with locked(tmp_path / "lock", remove=True) as mine:
                assert mine
                inside.append(number)
                most.append(len(inside))
                never.wait(0.001)  # long enough for others to queue up for the file that is about to go
                inside.remove(number)

    threads = [threading.Thread(target=work, args=[number]) for number in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert len(most) == 120
    assert set(most) == {1}
    assert not (tmp_path / "lock").exists()


def test_a_removed_lock_file_locks_nobody_out(tmp_path: Path) -> None:
    path = tmp_path / "lock"
    with locked(path):
        path.unlink()
        with locked(path, wait=False) as mine:
            assert mine


def test_without_waiting_it_says_that_somebody_has_it(tmp_path: Path) -> None:
    with locked(tmp_path / "lock", shared=True) as first, locked(tmp_path / "lock", shared=True, wait=False) as second:
        assert (first, second) == (True, True)
        with locked(tmp_path / "lock", wait=False) as alone:
            assert not alone
    with locked(tmp_path / "lock", wait=False) as alone:
        assert alone
