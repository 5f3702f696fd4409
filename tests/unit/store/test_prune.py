from __future__ import annotations

import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

from bundler.errors import ErrorId, StorageError
from bundler.model.digest import Blob
from bundler.store.blobs import Store
from bundler.store.disk_usage import PartialSize, StoreUsage, free_bytes, store_usage
from bundler.store.partial import file_name
from bundler.store.prune import Pruned, prune

NAME = "https://dl.example/a"


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store(tmp_path / "store")


def begin(store: Store, data: bytes) -> None:
    with store.incoming(NAME) as incoming:
        incoming.restart('"1"')
        incoming.write(data)


def test_contents(store: Store) -> None:
    store.put(b"one")
    store.put(b"three")
    begin(store, b"1234567")
    (store.blob_directory / "README").write_text("not a blob")
    assert store_usage(store) == StoreUsage(store.root, 2, 8, (PartialSize(file_name(NAME), 7),))


def test_an_absent_store_is_empty_and_stays_absent(store: Store) -> None:
    assert store_usage(store) == StoreUsage(store.root, 0, 0, ())
    assert prune(store, frozenset()) == Pruned(0, 0)
    assert not store.root.exists()


def test_only_what_is_kept_stays(store: Store) -> None:
    kept, gone = store.put(b"kept"), store.put(b"gone!")
    begin(store, b"1234567")
    assert prune(store, frozenset({kept})) == Pruned(2, 12)
    assert store.read(kept) == b"kept"
    assert not store.has(gone)
    assert list(store.partial_directory.iterdir()) == []
    assert [path.name for path in store.blob_directory.iterdir()] == [kept.digest.hex[:2]]


def test_a_kept_name_with_a_wrong_size_is_removed(store: Store) -> None:
    kept = store.put(b"kept")
    store.path(kept).write_bytes(b"kep")
    assert prune(store, frozenset({kept})) == Pruned(1, 3)


def test_strange_files_are_left_alone(store: Store) -> None:
    store.put(b"one")
    strange = store.blob_directory / "zz" / "notes.txt"
    strange.parent.mkdir()
    strange.write_text("mine")
    prune(store, frozenset())
    assert strange.read_text() == "mine"


def test_nothing_is_removed_while_a_build_runs(store: Store) -> None:
    blob = store.put(b"one")
    with store.in_use(), store.in_use():
        with pytest.raises(StorageError) as raised:
            prune(store, frozenset())
        assert raised.value.id == ErrorId.STORE_BUSY
        assert store.has(blob)
    assert prune(store, frozenset()) == Pruned(1, 3)


def test_a_partial_file_that_somebody_has_open_stays(store: Store) -> None:
    with store.incoming(NAME) as incoming:
        incoming.restart("")
        incoming.write(b"1234567")
        assert prune(store, frozenset()) == Pruned(0, 0)
        assert incoming.commit() == Blob.of(b"1234567")
    assert store.has(Blob.of(b"1234567"))


def test_remains_of_a_killed_process_are_removed(store: Store) -> None:
    store.partial_directory.mkdir(parents=True)
    for name in ("a", "a.validator", "a.lock", "b.validator.new", "made-1-2"):
        (store.partial_directory / name).write_bytes(b"123")
    assert prune(store, frozenset()) == Pruned(2, 6)
    assert list(store.partial_directory.iterdir()) == []


def test_free_bytes_of_a_place_that_does_not_exist_yet(tmp_path: Path) -> None:
    assert free_bytes(tmp_path / "not" / "yet") > 0
    assert free_bytes(Path("/proc/not/there")) == 0


def test_a_directory_that_may_not_be_entered_is_an_error_that_names_it() -> None:
    # root may enter everything, so another user looks, in a process of its own
    program = (
        "import os, sys; from pathlib import Path\n"
        "from bundler.errors import StorageError\n"
        "from bundler.store.blobs import Store\n"
        "from bundler.store.disk_usage import free_bytes, store_usage\n"
        "from bundler.store.prune import prune\n"
        "os.chmod(sys.argv[1], 0)\n"
        "if os.getuid() == 0: os.setuid(54321)\n"
        "store = Store(Path(sys.argv[1]) / 'store')\n"
        "looks = lambda: free_bytes(store.root), lambda: store_usage(store), lambda: prune(store, frozenset())\n"
        "for look in looks:\n"
        "    try: look()\n"
        "    except StorageError as error: assert sys.argv[1] in str(error)\n"
        "    else: sys.exit('no error')\n"
    )
    with tempfile.TemporaryDirectory(dir="/tmp") as closed:
        subprocess.run([sys.executable, "-c", program, closed], check=True)
        Path(closed).chmod(0o700)
