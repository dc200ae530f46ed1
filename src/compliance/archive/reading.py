"""Reading files one after another, in a worker: every file gets a line, whatever is wrong with it.

A line is one JSON object: path, size, mtime_ns, outcome (read, damaged, not DICOM), reason, digest and header. No patient's
id leaves a worker: the key takes its place at once.
"""

from __future__ import annotations

import hashlib
import json
import os
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from operator import itemgetter
from typing import Any, NamedTuple

from compliance.archive.attributes import TEXTS, Header, NotDicom
from compliance.archive.header import read_header
from compliance.archive.keys import Keys
from compliance.archive.structure import Damaged

IN_FLIGHT = 8  # reads at a time in one worker where the disk is slow
NOT_OPENED = "cannot be opened"
NOT_READ = "cannot be read"
DIED = "its reader died"
TO_TRY_AGAIN = (NOT_OPENED, NOT_READ, DIED)
_quoted = json.encoder.encode_basestring_ascii
_SHARED = (*(name for name in TEXTS if name != "sop_uid"), "transfer_syntax", "lossy_ratio", "title_code", "contributing_equipment")  # fmt: skip
_shared = itemgetter(*_SHARED)

Found = tuple[str, str, str]  # outcome, reason, header as JSON


class Entry(NamedTuple):
    """A file as the walk found it, with its path below the folder; a size of -1 where it could not be looked at."""

    path: str
    size: int
    mtime_ns: int


def shown(path: str) -> str:
    """Return a path as the tables write it: names that are no UTF-8 with their bytes escaped."""
    return path if path.isascii() else os.fsencode(path).decode("utf-8", "backslashreplace")


def line(entry: Entry, outcome: str, reason: str, header: str = "null") -> str:
    """Return the line of a file; `header` is JSON already."""
    digest = "null" if header == "null" else f'"{hashlib.sha256(header.encode()).hexdigest()[:32]}"'
    return (
        f'{{"path":{_quoted(shown(entry.path))},"size":{entry.size},"mtime_ns":{entry.mtime_ns},"outcome":"{outcome}",'
        f'"reason":{_quoted(reason)},"digest":{digest},"header":{header}}}\n'
    )


@dataclass
class Reader:
    """Reads files below a folder and hides the patients with the given keys."""

    folder: str
    keys: Keys
    waiting: bool = False
    known: dict[tuple[Any, ...], str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.keyed_by = self.keys.name

    def read(self, entries: list[Entry]) -> str:
        """Return the lines of some files.

        Where the last files were mostly waited for, as on a network, several are opened at a time.
        """
        wall, work = time.perf_counter(), time.process_time()
        if self.waiting and len(entries) > 1:
            with ThreadPoolExecutor(IN_FLIGHT) as threads:
                found = list(threads.map(self.one, entries))
        else:
            found = list(map(self.one, entries))
        self.waiting = time.perf_counter() - wall > 3 * (time.process_time() - work) + 0.001 * len(entries)
        # all lines at one go: what was just done is done again sooner
        return "".join([line(entry, *said) for entry, said in zip(entries, found)])

    def one(self, entry: Entry) -> Found:
        """Return what there is of one file; nothing that is wrong with it ends the scan."""
        if entry.size < 0:
            return "damaged", NOT_OPENED, "null"
        try:
            header = read_header(f"{self.folder}/{entry.path}")
            return "read", header["remark"], self.encode(header)
        except NotDicom as error:
            return "not DICOM", str(error), "null"
        except Damaged as error:
            return "damaged", str(error), "null"
        except OSError as error:
            return "damaged", f"{NOT_READ}: {error.strerror or type(error).__name__}", "null"
        except Exception as error:
            return "damaged", f"{NOT_READ}: {type(error).__name__}", "null"

    def encode(self, header: Header) -> str:
        """Return a header as JSON, with the patient's key in the place of the id.

        The instances of a series share all but the SOP instance UID.
        """
        shared = _shared(header)
        text = self.known.get(shared)
        if text is None:
            if len(self.known) > 1_000:
                self.known.clear()
            words = dict(zip(_SHARED, shared))
            words["patient_key"] = self.keys.key(words["issuer"], words["institution"], words.pop("patient_id"))
            words["keyed_by"] = self.keyed_by
            text = self.known[shared] = json.dumps(words, sort_keys=True, separators=(",", ":"))
        return f'{{"sop_uid":{_quoted(header["sop_uid"])},{text[1:]}'
