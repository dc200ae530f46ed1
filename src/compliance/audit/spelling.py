"""Columns of words and texts as they are matched: one way to write each (`normal_word` of the vocabulary), sets as one text.

A set may also come as a list of texts, which tells the empty set (`[]`) from one that is not known (null).
"""

from __future__ import annotations

import pyarrow as pa
import pyarrow.compute as pc

from compliance.law.vocabulary import PADDING, FactType, Vocabulary, normal_word

_EMPTY = "\\"  # a set of no members: a separator and nothing beside it


def spelled(batch: pa.RecordBatch, vocabulary: Vocabulary) -> pa.RecordBatch:
    """Return the batch with every column that is a fact as it is matched; nothing else changes."""
    columns, fields = list(batch.columns), list(batch.schema)
    for at, field in enumerate(batch.schema):
        kind = vocabulary.type_of(field.name)
        if kind is not None and kind.type not in ("date", "boolean", "days"):
            columns[at] = _column(kind, columns[at])
            fields[at] = pa.field(field.name, columns[at].type)
    return pa.RecordBatch.from_arrays(columns, schema=pa.schema(fields))


def _column(kind: FactType, column: pa.Array) -> pa.Array:
    if pa.types.is_list(column.type) or pa.types.is_large_list(column.type):
        column = pa.array([None if words is None else _joined(words) for words in column.to_pylist()], pa.string())
    inside = column.type.value_type if pa.types.is_dictionary(column.type) else column.type
    if not (pa.types.is_string(inside) or pa.types.is_large_string(inside)):
        return column
    if kind.type == "text" and not pa.types.is_dictionary(column.type):
        return _texts(column)
    if not pa.types.is_dictionary(column.type):
        column = column.dictionary_encode()
    words = [None if word is None else _word(kind, word) for word in column.dictionary.to_pylist()]
    return pa.DictionaryArray.from_arrays(column.indices, pa.array(words, pa.string()))


def _joined(words: list[str | None]) -> str:
    return "unknown" if None in words else "\\".join(word or "" for word in words) or _EMPTY


def _word(kind: FactType, text: str) -> str:
    if kind.type not in ("set", "places") or "\\" not in text:
        return normal_word(kind, text)
    words = [word for part in text.split("\\") if (word := normal_word(kind, part))]
    return "unknown" if "unknown" in words else "\\".join(words) or _EMPTY


def _texts(column: pa.Array) -> pa.Array:
    plain = pc.utf8_trim(pc.utf8_normalize(column.cast(pa.string()), form="NFC"), PADDING)
    return pc.if_else(pc.equal(pc.utf8_lower(plain), "unknown"), "unknown", plain)
