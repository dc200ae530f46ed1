"""The messages of an Arrow stream, looked at before they are read: none may unfold to more than it is on the wire.

Arrow says in a message's own head whether its buffers are compressed (Arrow columnar format, "Serialization and
Interprocess Communication", Message.fbs); pyarrow shows that nowhere, and unfolds without a bound.
"""

from __future__ import annotations

import struct
import sys
from collections.abc import Iterator

_DICTIONARY, _BATCH = 2, 3  # MessageHeader, by number
_KIND, _HEAD = 1, 2  # fields of Message
_DATA = 1  # field of DictionaryBatch
_COMPRESSION = 3  # field of RecordBatch


class Pieces:
    """Pieces as they come, as a file that pyarrow reads; raises ValueError where it asks for more than `most` bytes at once."""

    closed = False

    def __init__(self, pieces: Iterator[bytes], most: int = sys.maxsize) -> None:
        self._pieces, self._most, self._rest = pieces, most, b""

    def read(self, size: int = -1) -> bytes:
        """Return `size` bytes, fewer at the end."""
        if size > self._most:
            raise ValueError(f"a batch of more than {self._most:,} bytes. Send smaller batches")
        have, many = [self._rest], len(self._rest)
        while many < size or size < 0:
            piece = next(self._pieces, None)
            if piece is None:
                break
            have.append(piece)
            many += len(piece)
        whole = b"".join(have)
        size = len(whole) if size < 0 else size
        found, self._rest = whole[:size], whole[size:]
        return found

    def readable(self) -> bool:
        """It is read only."""
        return True

    def close(self) -> None:
        """Nothing is held open."""
        self.closed = True


def messages(pieces: Iterator[bytes], most: int) -> Iterator[bytes]:
    """Yield the messages of a stream, each of at most so many bytes; raises ValueError at a compressed one."""
    import pyarrow as pa

    for message in pa.ipc.MessageReader.open_stream(pa.PythonFile(Pieces(pieces, most), mode="r")):
        if compressed(message.metadata.to_pybytes()):
            raise ValueError("compressed buffers are not taken. Write the stream without compression")
        yield message.serialize().to_pybytes()


def compressed(head: bytes) -> bool:
    """Tell whether the buffers of a message with this head are compressed; raises ValueError where it is no head."""
    try:
        message = _Table(head, struct.unpack_from("<I", head)[0])
        kind = head[message.field(_KIND)]
        if kind not in (_DICTIONARY, _BATCH):
            return False
        batch = message.table(_HEAD)
        return bool((batch.table(_DATA) if kind == _DICTIONARY else batch).field(_COMPRESSION))
    except (struct.error, IndexError) as error:
        raise ValueError(f"a message without a sound head: {error}") from None


class _Table:
    """A table of a flatbuffer: its fields lie where its vtable says."""

    def __init__(self, data: bytes, at: int) -> None:
        self.data, self.at = data, at
        self.fields = at - struct.unpack_from("<i", data, at)[0]

    def field(self, number: int) -> int:
        """Return where a field lies, 0 where it is not there."""
        place, size = 4 + 2 * number, struct.unpack_from("<H", self.data, self.fields)[0]
        offset = struct.unpack_from("<H", self.data, self.fields + place)[0] if place < size else 0
        return self.at + int(offset) if offset else 0

    def table(self, number: int) -> _Table:
        """Return the table that a field points to."""
        at = self.field(number)
        return _Table(self.data, at + struct.unpack_from("<I", self.data, at)[0])
