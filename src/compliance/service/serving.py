"""What every route needs: settings, law, store, the register of holds; and the two ways a route answers."""

from __future__ import annotations

import re
import time
from collections import OrderedDict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from threading import Lock
from typing import Any, TypeVar
from urllib.parse import parse_qsl
from zoneinfo import ZoneInfo

import msgspec
from sqlalchemy import select
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response

from compliance.audit.profile import Profile, load_profile
from compliance.decision.assume import AssumptionSet, shipped
from compliance.decision.holds import Hold
from compliance.errors import FactError, LawError
from compliance.law import once
from compliance.law.dates import read_edtf
from compliance.law.knowledge import KnowledgeBase
from compliance.law.scopes import Scope, ScopeShape
from compliance.law.shape import Reader
from compliance.law.yaml import Node, Plain
from compliance.service import tables
from compliance.service.access import Access, Caller
from compliance.service.misfits import told
from compliance.service.problems import Refusal
from compliance.service.settings import Settings
from compliance.service.store import Store, StoreError

T = TypeVar("T")
ENCODER = msgspec.json.Encoder()
_PLAIN = msgspec.json.Decoder().decode
SETS = ("cautious", "practical")
_TEXT = re.compile(r"[^\x00-\x1f\x7f]{0,200}")
_DAY = re.compile(r"[12]\d{3}-\d\d-\d\d", re.ASCII)
HOLDS_SEEN = 1.0  # seconds for which decisions go by the holds last read; the guard reads them anew


class Answers(OrderedDict[tuple[bytes, bytes], bytes]):
    """Answers by query string and question, both as sent. Used by several threads at once."""

    def __init__(self, largest: int = 64 << 20) -> None:
        super().__init__()
        self._room, self._lock = largest, Lock()

    def keep(self, question: tuple[bytes, bytes], answer: bytes) -> None:
        """Remember an answer; the oldest are forgotten. `largest`: bytes of all queries, questions and answers."""
        with self._lock:
            if question in self:  # twice in one list
                return
            self[question] = answer
            self._room -= _size(question, answer)
            while self._room < 0:
                self._room += _size(*self.popitem(last=False))


def _size(question: tuple[bytes, bytes], answer: bytes) -> int:
    return len(question[0]) + len(question[1]) + len(answer)


class Remembered:
    """Answers given to the very same question on the same day under the same holds (law and assumptions do not change
    while the service runs): a decision is a pure function of these.

    Who decides takes the answers of a day and of holds first: what is kept there later never answers under other holds.
    """

    def __init__(self) -> None:
        self._under: tuple[Any, ...] = (None, None)
        self._answers = Answers()

    def under(self, day: date, holds: tuple[Hold, ...]) -> Answers:
        """Return what was answered on a day under some holds."""
        if self._under[0] != day or self._under[1] is not holds:
            self._under, self._answers = (day, holds), Answers()
        return self._answers


@dataclass
class Service:
    """One running service; `knowledge` includes the own policies of the profile."""

    settings: Settings
    knowledge: KnowledgeBase
    store: Store
    access: Access = field(init=False)
    profile: Profile | None = None
    _sets: dict[tuple[str, ...], tuple[AssumptionSet, ...]] = field(default_factory=dict)
    _holds: tuple[float, tuple[Hold, ...]] = (0.0, ())
    remembered: Remembered = field(default_factory=Remembered)

    def __post_init__(self) -> None:
        self.access = Access(self.settings, self.store)
        if self.settings.profile is not None:
            self.profile = load_profile(self.settings.profile, self.knowledge)
            self.knowledge = self.profile.knowledge

    @property
    def etag(self) -> str:
        """The law base as an entity tag."""
        return f'"{self.knowledge.digest.removeprefix("sha256:")[:32]}"'

    def today(self) -> date:
        """Return the day where the organisation is."""
        return datetime.now(ZoneInfo(self.profile.time_zone) if self.profile else UTC).date()

    def sets(self, names: Sequence[str] = ()) -> tuple[AssumptionSet, ...]:
        """Return the assumption sets asked for (those of the settings where none is), then the profile's."""
        key = tuple(names or self.settings.assume)
        if key not in self._sets:
            own = self.profile.assumptions if self.profile else ()
            self._sets[key] = (*(shipped(name, self.knowledge.vocabulary) for name in key), *own)
        return self._sets[key]

    def holds(self, anew: bool = False) -> tuple[Hold, ...]:
        """Return the one register of holds, the profile's and the store's; raises StoreError where it cannot be read."""
        until, last = self._holds  # read once: other threads replace it
        if not anew and until > time.monotonic():
            return last
        rows = self.store.read(lambda session: list(session.execute(select(tables.Holds)).scalars()))
        own = self.profile.holds if self.profile else ()
        found: tuple[Hold, ...] = (*own, *(hold_of(row, self.knowledge) for row in rows))
        if found == last:
            found = last  # the very same object: answers remembered under it still hold
        self._holds = (time.monotonic() + HOLDS_SEEN, found)
        return found

    async def holds_now(self) -> tuple[Hold, ...]:
        """Return the register as last read, a second ago at most; the event loop never waits for the store."""
        until, last = self._holds
        return last if until > time.monotonic() else await run_in_threadpool(self.holds)

    def forget_holds(self) -> None:
        """Read the holds again before the next decision."""
        self._holds = (0.0, self._holds[1])


def serving(request: Request) -> Service:
    """Return the service that a request came to."""
    found = request.app.state.service
    assert isinstance(found, Service)
    return found


def caller(request: Request) -> Caller:
    """Return who calls."""
    found = request.scope["caller"]
    assert isinstance(found, Caller)
    return found


def hold_of(row: tables.Holds, knowledge: KnowledgeBase) -> Hold:
    """Return a hold of the store; raises StoreError where its scope cannot be read."""
    try:
        return Hold(
            id=row.id, scope=read_scope(row.scope, knowledge), matter=row.matter, issued_by=row.issued_by,
            trigger=row.trigger, issued=read_edtf(row.issued), released_by=row.released_by,
            review_by=read_edtf(row.review_by) if row.review_by else None,
            released=read_edtf(row.released) if row.released else None,
        )  # fmt: skip
    except (LawError, ValueError):
        raise StoreError(f"hold {row.id} cannot be read, so nothing is decided: mend its scope") from None


def read_scope(scope: Any, knowledge: KnowledgeBase) -> Scope:
    """Read a scope as JSON has it; raises LawError with every fault."""
    reader = Reader("scope")
    found = ScopeShape(knowledge.vocabulary).read(Node.wrap(_plain(scope)), reader)
    reader.check("The scope cannot be read")
    assert isinstance(found, Scope)
    return found


def _plain(data: Any) -> Plain:
    if isinstance(data, dict):
        return {key: _plain(value) for key, value in data.items()}
    if isinstance(data, list):
        return [_plain(value) for value in data]
    return str(data).lower() if isinstance(data, bool) or data is None else str(data)


def answer(found: Any, status: int = 200, **headers: str) -> Response:
    """Return a value as JSON."""
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return Response(ENCODER.encode(found), status, named, "application/json")


def need_once(body: bytes) -> None:
    """Raise Refusal where a key stands twice in one object of a JSON body: msgspec keeps the last and says nothing."""
    try:
        once.need_once(body, _PLAIN)
    except FactError as error:
        raise Refusal("bad-facts", str(error)) from None


def decoded(body: bytes, kind: type[T]) -> T:
    """Read a JSON body; raises Refusal."""
    need_once(body)
    if b"\\u0000" in body:
        raise Refusal("invalid", "The character U+0000 is not stored anywhere: leave it out")
    try:
        return msgspec.json.decode(body, type=kind)
    except msgspec.ValidationError as error:
        raise Refusal("invalid", told(str(error), kind)) from None
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise Refusal("bad-request", f"The body is no JSON: {error}") from None


async def body_of(request: Request, *allowed: str) -> bytes:
    """Return the whole body, of an allowed media type (JSON); raises Refusal."""
    need_type(request, *(allowed or ("application/json",)))
    return await request.body()


def need_type(request: Request, *allowed: str) -> str:
    """Return the media type of the body; raises Refusal where it is none of these."""
    given = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if given not in allowed:
        raise Refusal("media-type", f"{given or 'nothing'!r} is not read here. Allowed: {', '.join(allowed)}")
    return given


def asked(request: Request, *allowed: str) -> dict[str, str]:
    """Return the parameters of the query, each given once; raises Refusal for one that is not allowed."""
    return parameters(request.scope["query_string"], *allowed)


def parameters(query: bytes, *allowed: str) -> dict[str, str]:
    """Return the parameters of a query string, each given once; raises Refusal for one that is not allowed."""
    found: dict[str, str] = {}
    for name, value in parse_qsl(query.decode("latin-1"), keep_blank_values=True):
        if name not in allowed:
            raise Refusal("bad-request", f"no parameter {name[:40]!r}. Allowed: {', '.join(allowed) or 'none'}")
        if not _TEXT.fullmatch(value):
            raise Refusal("bad-request", f"parameter {name!r}: allowed are 200 characters, none of control")
        if name in found:
            raise Refusal("bad-request", f"parameter {name!r} is given twice")
        found[name] = value
    return found


def assumed(query: Mapping[str, str]) -> tuple[str, ...]:
    """Return the assumption sets that a query names; raises Refusal."""
    if "assume" not in query:
        return ()
    names = tuple(query["assume"].split(","))
    if wrong := [name for name in names if name not in SETS or names.count(name) > 1]:
        raise Refusal(
            "bad-request", f"assume={wrong[0][:40]!r} is not allowed. Allowed: cautious, practical, or both once"
        )
    return names


def day_of(text: str | None, today: date) -> date:
    """Return a day of the query; raises Refusal."""
    if text is None:
        return today
    try:
        if not _DAY.fullmatch(text):  # of the years of the contract: further out no age can be reckoned
            raise ValueError
        return date.fromisoformat(text)
    except ValueError:
        raise Refusal("bad-request", f"as_of {text[:20]!r} is no day. Allowed: a day such as 2026-11-24") from None


async def listed(request: Request, table: Any, of: Callable[[Any], Any]) -> Response:
    """Answer with every row of a table, oldest first, each as `of` makes it."""
    asked(request)
    wanted = select(table).order_by(table.added)
    rows = await run_in_threadpool(serving(request).store.read, lambda s: list(s.execute(wanted).scalars()))
    return answer([of(row) for row in rows])
