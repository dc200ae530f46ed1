"""The journal of a scan: the lines of all files read so far, beside the output while the scan runs.

After a crash the next scan takes over the lines of files whose path, size and time are unchanged. It copies them into a
journal of its own; the earlier one stays until the inventory is written, so that no second crash loses anything.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import IO

from compliance.archive.reading import TO_TRY_AGAIN, Entry, shown


class Journal:
    """The lines of one scan, and of an earlier one that did not come to its end."""

    def __init__(self, target: Path, keyed_by: str) -> None:
        self.path = target.with_name(f".{target.name}.journal")
        self.earlier = target.with_name(f".{target.name}.journal.earlier")
        self.lines = 0
        self._places: dict[str, tuple[int, int, int]] = {}
        self._keep()
        self._index(keyed_by)
        self._source: IO[bytes] | None = self.earlier.open("rb") if self._places else None
        self._file = self.path.open("wb")

    def _keep(self) -> None:
        if self.path.exists():
            with self.path.open("rb") as source, self.earlier.open("ab") as earlier:
                earlier.write(b"\n")  # ends a torn line
                while block := source.read(1 << 20):
                    earlier.write(block)
            self.path.unlink()

    def _index(self, keyed_by: str) -> None:
        if not self.earlier.exists():
            return
        place = 0
        with self.earlier.open("rb") as lines:
            for line in lines:
                try:
                    row = json.loads(line)
                    if (row["header"] or {}).get("keyed_by", keyed_by) == keyed_by and not row["reason"].startswith(
                        TO_TRY_AGAIN
                    ):
                        self._places[row["path"]] = (row["size"], row["mtime_ns"], place)
                except (ValueError, KeyError, TypeError):
                    pass  # a torn line: that file is read again
                place += len(line)

    def take_over(self, entry: Entry) -> bool:
        """Copy the earlier line of an unchanged file; return whether there was one."""
        size, mtime_ns, place = self._places.get(shown(entry.path), (-1, 0, 0))
        if self._source is None or entry.size < 0 or (size, mtime_ns) != (entry.size, entry.mtime_ns):
            return False
        self._source.seek(place)
        self._file.write(self._source.readline())
        self.lines += 1
        return True

    def add(self, lines: str, number: int) -> None:
        """Write the lines of files just read, so that they outlive a crash of this program."""
        self._file.write(lines.encode())
        self._file.flush()
        self.lines += number

    def close(self) -> None:
        """End writing; the lines are whole."""
        self._file.close()
        if self._source is not None:
            self._source.close()

    def finish(self) -> None:
        """The inventory is written: the journal has done its work."""
        self.close()
        self.path.unlink(missing_ok=True)
        self.earlier.unlink(missing_ok=True)
