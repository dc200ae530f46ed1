"""A process that reads: it is given some files at a time and gives back their lines."""

from __future__ import annotations

import gc
import signal
from contextlib import suppress
from multiprocessing import Pipe, Process
from multiprocessing.connection import Connection

from compliance.archive.keys import Keys
from compliance.archive.reading import Entry, Reader


class Worker:
    """A worker process, as its parent sees it; `line` can be waited for."""

    def __init__(self, folder: str, keys: Keys, entries: list[Entry]) -> None:
        self.line, far = Pipe()
        self._process = Process(target=_serve, args=(far, self.line, folder, keys), daemon=True)
        self._process.start()
        far.close()  # so that the line breaks when the process dies
        self.give(entries)

    def give(self, entries: list[Entry]) -> None:
        """Have files read. `take` tells whether the process is still there."""
        self.entries = entries
        with suppress(OSError):
            self.line.send(tuple(zip(*entries)))  # columns travel at less cost than rows

    def take(self) -> str | None:
        """Return the lines of the files given, None where the process has died over them."""
        try:
            return self.line.recv_bytes().decode()
        except (EOFError, OSError):
            return None

    def end(self) -> None:
        """End the process, whatever it does."""
        self._process.kill()
        self._process.join()
        self.line.close()


def _serve(line: Connection, far: Connection, folder: str, keys: Keys) -> None:
    """Read until the parent hangs up. An interrupt is the parent's affair."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    far.close()  # so that the line breaks when the parent dies
    gc.freeze()  # what comes from the parent need not be looked through for garbage
    reader = Reader(folder, keys)
    with suppress(EOFError, OSError):
        while True:
            line.send_bytes(reader.read(list(map(Entry, *line.recv()))).encode())
