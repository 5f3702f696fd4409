"""Kills a process that works on a partial file before each of its file operations in turn: crash_points.py DIRECTORY.

A child is forked for every number; an audit hook lets it end by SIGKILL at its so-manieth operation on a file. Prints
one line per child, `VALIDATOR BYTES`, for what a later run finds, where BYTES names the content that they begin, or
`admitted`. Runs as a process of its own, because forking wants a process without threads.
"""

from __future__ import annotations

import os
import signal
import sys
from pathlib import Path

from bundler.model.digest import Blob
from bundler.store.blobs import Store

NAME = "name"
CONTENTS = {'"1"': b"first " * 100, '"2"': b"second " * 100, "": b"without validator " * 100}
_OPERATIONS = ("open", "os.remove", "os.rename", "os.truncate", "os.mkdir")


def work(store: Store) -> None:
    """Go through the life of a partial file: left over, changed upstream, unvalidated, whole, admitted."""
    with store.incoming(NAME) as incoming:
        for validator in ('"2"', '"1"', "", '"2"'):
            incoming.restart(validator)
            incoming.write(CONTENTS[validator][:50])
            incoming.write(CONTENTS[validator][50:])
        incoming.commit(Blob.of(CONTENTS['"2"']).digest)


def killed_at(number: int, store: Store) -> bool:
    """Do the work in a child that is killed at that operation; False when it had fewer."""
    child = os.fork()
    if child == 0:
        left = number

        def count(event: str, arguments: tuple[object, ...]) -> None:
            nonlocal left
            # a path of the store, or a name in one of its directories
            ours = str(arguments[0]).startswith((str(store.root), NAME)) if arguments else False
            if event == "os.truncate" or (event in _OPERATIONS and ours):
                left -= 1
                if left == 0:
                    os.kill(os.getpid(), signal.SIGKILL)

        sys.addaudithook(count)
        work(store)
        os._exit(0)
    _, status = os.waitpid(child, 0)
    if not os.WIFSIGNALED(status) and os.waitstatus_to_exitcode(status) != 0:
        sys.exit("the work itself failed")
    return os.WIFSIGNALED(status)


def found(store: Store) -> str:
    """Say what the next run finds."""
    whole = CONTENTS['"2"']
    if store.has(Blob.of(whole)):
        return f"admitted {store.read(Blob.of(whole)) == whole}"
    with store.incoming(NAME) as incoming, incoming.open() as file:
        data = file.read()
        begun = [validator for validator, content in CONTENTS.items() if content.startswith(data)] if data else ["any"]
        return f"{incoming.validator or 'none'} {begun[0] or 'none'}"


def main(directory: str) -> None:
    """Run it."""
    for number in range(1, 1000):
        store = Store(Path(directory) / str(number))
        with store.incoming(NAME) as incoming:
            incoming.restart('"1"')
            incoming.write(CONTENTS['"1"'][:77])
        alive = not killed_at(number, store)
        sys.stdout.write(f"{found(store)}\n")
        if alive:
            return


if __name__ == "__main__":
    main(sys.argv[1])
