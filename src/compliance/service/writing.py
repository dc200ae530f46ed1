"""Every write: one transaction with its ledger entry, its events and its reply, so that all of it stands or nothing does.

`Idempotency-Key` (draft-ietf-httpapi-idempotency-key-header): the same key and request again get the first reply. A
request without one is given one, so that running the transaction anew after a broken connection does nothing twice.
"""

from __future__ import annotations

import hashlib
import re
import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, TypeVar

from sqlalchemy import delete
from sqlmodel import Session, SQLModel
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response

from compliance.service import ledger, webhooks
from compliance.service.problems import Refusal
from compliance.service.serving import ENCODER, body_of, caller, decoded, serving
from compliance.service.store import now
from compliance.service.tables import Replies

T = TypeVar("T")
KEPT_HOURS = 48
_KEY = re.compile("[!-~]{1,255}")


@dataclass(frozen=True, slots=True)
class Done:
    """What a write did: its answer, what the ledger says of it, and an event for those who listen.

    The ledger never holds facts of patients: digests stand for them, so that they can be erased elsewhere. `secret`
    fields of the answer are shown once and not kept with the reply.
    """

    answer: Any
    act: str
    subject: str
    body: Mapping[str, Any]
    status: int = 201
    event: tuple[str, Mapping[str, Any]] | None = None
    secret: Mapping[str, str] | None = None
    row: SQLModel | None = None  # what was written, whose digests the entry carries


Work = Callable[[Session, T, str], Done]  # session, what was sent, this moment


async def write(request: Request, kind: type[T], work: Work[T]) -> Response:
    """Read the body, do the work, answer; raises Refusal."""
    body = await body_of(request)
    return await commit(request, decoded(body, kind), body, work)


async def commit(request: Request, entry: T, body: bytes, work: Work[T]) -> Response:
    """Do the work for what was read from a body."""
    service, who = serving(request), caller(request).name
    key = request.headers.get("idempotency-key")
    if key is not None and not _KEY.fullmatch(key):
        raise Refusal("bad-request", "Idempotency-Key: allowed are 1 to 255 visible ASCII characters")
    key = key or f"once:{uuid.uuid4()}"
    print_ = hashlib.sha256(b"\0".join((request.method.encode(), request.url.path.encode(), body))).hexdigest()

    def once(session: Session) -> tuple[int, bytes, bool]:
        ledger.lock(session)
        old = session.get(Replies, (who, key))
        if old is not None:
            if old.request != print_:
                raise Refusal("key-reused", "Take a new key for another request")
            return old.status, old.body, True
        at = now()
        done = work(session, entry, at)
        ledger.append(session, at, who, done.act, done.subject, done.body, done.row)
        if done.event:
            webhooks.announce(session, at, *done.event)
        kept = ENCODER.encode(done.answer)
        session.add(Replies(caller=who, key=key, request=print_, status=done.status, body=kept, added=at))
        return done.status, _with_secret(kept, done.secret), False

    status, answer, again = await run_in_threadpool(service.store.write, once)
    return Response(answer, status, {"Idempotency-Replayed": "true"} if again else None, "application/json")


def _with_secret(kept: bytes, secret: Mapping[str, str] | None) -> bytes:
    return kept if not secret else kept[:-1] + b"," + ENCODER.encode(secret)[1:]


def digest(value: Any) -> str:
    """Return a digest that stands for a value in the ledger."""
    return "sha256:" + hashlib.sha256(ENCODER.encode(value)).hexdigest()


def forget_replies(session: Session) -> None:
    """Drop replies older than two days."""
    before = (datetime.now(UTC) - timedelta(hours=KEPT_HOURS)).strftime("%Y-%m-%dT%H:%M:%SZ")
    session.execute(delete(Replies).where(Replies.added < before))
