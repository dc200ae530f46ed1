"""The ledger against the tables beside it.

An entry that writes a row carries a digest of each field it set (`row` in its body). Played back in order they say what
every row must hold: a row changed, added or deleted behind the ledger's back is found, and a later entry that sets other
fields does not hide it.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from sqlalchemy import JSON, Text, cast, inspect, select
from sqlmodel import Session, SQLModel

from compliance.service.tables import Approvals, Clients, Holds, SignOffs, Waivers, Webhooks

TABLES = (Holds, Waivers, Approvals, SignOffs, Clients, Webhooks)
_LONG = 32  # hexadecimal digits kept of a field's digest


@dataclass(frozen=True, slots=True)
class Differs:
    """A row that is not what the ledger says; its values are not told, they may be facts of patients."""

    table: str
    id: str
    why: str


def written(row: SQLModel) -> dict[str, Any]:
    """Return what an entry says of a row: table, id, and a digest of each field set since it was read (all of a new one)."""
    state = inspect(row)
    names = [one.key for one in state.attrs if not state.persistent or one.history.has_changes()]
    fields = {name: _digest(getattr(row, name)) for name in names}
    return {"table": row.__tablename__, "id": row.id, "fields": fields}


def differences(session: Session, bodies: Iterator[tuple[int, str]]) -> Iterator[Differs]:
    """Yield the rows that differ from what the entries (number and body, in order) wrote."""
    rows: dict[tuple[str, str], dict[str, tuple[str, int]]] = {}
    for number, body in bodies:
        if found := json.loads(body).get("row"):
            fields = rows.setdefault((found["table"], found["id"]), {})
            fields.update({name: (print_, number) for name, print_ in found["fields"].items()})
    for table in TABLES:
        for row in _rows(session, table):
            fields = rows.pop((table.__tablename__, str(row["id"])), {})
            if why := _why(row, fields):
                yield Differs(table.__tablename__, str(row["id"]), why)
    for table_name, id in rows:
        yield Differs(table_name, id, "is gone")


def _why(row: dict[str, Any], fields: dict[str, tuple[str, int]]) -> str:
    if not fields:
        return "was not written by an entry of the ledger"
    wrong = [name for name, value in row.items() if name not in fields or fields[name][0] != _digest(value)]
    return "; ".join(f"{name} is not as entry {fields[name][1] if name in fields else '?'} wrote it" for name in wrong)


def _rows(session: Session, table: Any) -> Iterator[dict[str, Any]]:
    """Yield the rows as they lie there; JSON is read as text, since whoever changed it may have left none."""
    columns = table.__table__.columns
    wanted = select(*(cast(one, Text).label(one.name) if isinstance(one.type, JSON) else one for one in columns))
    json_ = {one.name for one in columns if isinstance(one.type, JSON)}
    for row in session.execute(wanted.order_by(columns["id"]).execution_options(yield_per=1000)).mappings():
        yield {name: _parsed(value) if name in json_ else value for name, value in row.items()}


def _parsed(text: Any) -> Any:
    try:
        return json.loads(text)
    except (TypeError, ValueError, RecursionError):
        return ["no JSON", repr(text)]


def _digest(value: Any) -> str:
    text = json.dumps(value, ensure_ascii=False, sort_keys=True, separators=(",", ":"), default=repr)
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:_LONG]
