"""For administrators: API clients, webhooks, the ledger."""

from __future__ import annotations

import json
import uuid
from collections.abc import Sequence

from sqlalchemy import select
from sqlmodel import Session
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response

from compliance.service import access, cursors, tables, webhooks, wire
from compliance.service.access import HERE, NOBODY
from compliance.service.contract import CURSOR, IDEMPOTENCY, JSON, LIMIT, Operation, Param, ref
from compliance.service.problems import Refusal, on_file
from compliance.service.serving import answer, asked, body_of, caller, decoded, listed, serving
from compliance.service.writing import Done, commit, write

_LONGEST_NAME = 100
_KINDS = ("oidc:", "shell:")  # of callers that are no clients: a token's subject, a user of the machine


def client_of(row: tables.Clients) -> wire.Client:
    """Return a client without its key."""
    return wire.Client(row.id, row.name, row.scopes.split(), row.added, row.revoked)


def new_client(session: Session, name: str, scopes: Sequence[str], at: str) -> tuple[tables.Clients, str]:
    """Add a client; return its row and its key, which is shown once. Raises Refusal."""
    if not 0 < len(name) <= _LONGEST_NAME or not name.isprintable() or name != name.strip():
        raise Refusal(
            "invalid", f"The name {name[:40]!r} is not allowed. Allowed: {_LONGEST_NAME} printable characters"
        )
    if name.startswith(_KINDS) or name in (HERE.name, NOBODY.name):
        raise Refusal("invalid", f"{name[:40]} is what the ledger calls others: take another name")
    if session.execute(select(tables.Clients).where(tables.Clients.name == name)).first():
        raise Refusal("conflict", f"A client {name} is on file; names are never used again")
    key, hashed = access.new_key()
    row = tables.Clients(
        id=uuid.uuid4().hex, name=name, key_hash=hashed, scopes=" ".join(sorted(set(scopes))), added=at
    )
    session.add(row)
    return row, key


async def clients(request: Request) -> Response:
    """List clients."""
    return await listed(request, tables.Clients, client_of)


async def add_client(request: Request) -> Response:
    """Make a key."""

    def work(session: Session, new: wire.NewClient, at: str) -> Done:
        row, key = new_client(session, new.name, new.scopes, at)
        said = {"scopes": row.scopes}
        return Done(client_of(row), "client.created", row.name, said, secret={"key": key}, row=row)

    return _forget(request, await write(request, wire.NewClient, work))


async def revoke(request: Request) -> Response:
    """Revoke a key."""
    id = request.path_params["id"]

    def work(session: Session, _: str, at: str) -> Done:
        row = on_file(session.get(tables.Clients, id), "client", "/v1/clients")
        row.revoked = row.revoked or at
        return Done(client_of(row), "client.revoked", row.name, {}, status=200, row=row)

    return _forget(request, await commit(request, id, b"", work))


def _forget(request: Request, response: Response) -> Response:
    serving(request).access.forget()
    return response


def _hook(row: tables.Webhooks) -> wire.Webhook:
    return wire.Webhook(row.id, row.url, row.events.split(), row.added, row.removed)


async def hooks(request: Request) -> Response:
    """List webhooks."""
    return await listed(request, tables.Webhooks, _hook)


async def add_hook(request: Request) -> Response:
    """Add a webhook whose address is public."""
    service, who = serving(request), caller(request).name

    def work(session: Session, new: wire.NewWebhook, at: str) -> Done:
        secret = webhooks.new_secret()
        row = tables.Webhooks(
            id=uuid.uuid4().hex,
            url=new.url,
            secret=secret,
            events=" ".join(sorted(set(new.events))),
            added_by=who,
            added=at,
        )
        session.add(row)
        said = {"url": new.url, "events": row.events}
        return Done(_hook(row), "webhook.created", row.id, said, secret={"secret": secret}, row=row)

    body = await body_of(request)
    new = decoded(body, wire.NewWebhook)
    try:
        await run_in_threadpool(webhooks.address, new.url, service.settings.webhook_private)
    except webhooks.Unreachable as error:
        raise Refusal("invalid", f"url: {error}") from None
    return await commit(request, new, body, work)


async def remove_hook(request: Request) -> Response:
    """Remove a webhook."""
    id = request.path_params["id"]

    def work(session: Session, _: str, at: str) -> Done:
        row = on_file(session.get(tables.Webhooks, id), "webhook", "/v1/webhooks")
        row.removed = row.removed or at
        return Done(_hook(row), "webhook.removed", id, {}, status=200, row=row)

    return await commit(request, id, b"", work)


async def entries(request: Request) -> Response:
    """List the ledger."""
    query = asked(request, "cursor", "limit")
    after, limit = cursors.number_cursor(query) or 0, cursors.limit(query)
    wanted = select(tables.Ledger).where(tables.Ledger.number > after).order_by(tables.Ledger.number).limit(limit + 1)
    rows = await run_in_threadpool(serving(request).store.read, lambda s: list(s.execute(wanted).scalars()))
    items = [
        wire.Entry(row.number, row.at, row.actor, row.act, row.subject, json.loads(row.body), row.previous, row.digest)
        for row in rows[:limit]
    ]
    return answer(wire.Entries(items, cursors.write_text(str(items[-1].number)) if len(rows) > limit else None))


_ID = Param("id", "as listed", {"type": "string", "pattern": "^[0-9a-f]{32}$"}, "path")
OPERATIONS = (
    Operation(
        method="GET", path="/v1/clients", handler=clients, scope="admin", summary="API clients",
        gives={200: {JSON: {"type": "array", "items": ref("Client")}}},
    ),
    Operation(
        method="POST", path="/v1/clients", handler=add_client, scope="admin", summary="Make a key; it is shown once",
        takes={JSON: wire.NewClient}, gives={201: {JSON: wire.Client}}, params=(IDEMPOTENCY,), refuses=(409,),
        example={"name": "pacs-north", "scopes": ["read"]},
    ),
    Operation(
        method="DELETE", path="/v1/clients/{id}", handler=revoke, scope="admin", summary="Revoke a key",
        gives={200: {JSON: wire.Client}}, params=(_ID, IDEMPOTENCY), refuses=(404, 422),
    ),
    Operation(
        method="GET", path="/v1/webhooks", handler=hooks, scope="admin", summary="Webhooks",
        gives={200: {JSON: {"type": "array", "items": ref("Webhook")}}},
    ),
    Operation(
        method="POST", path="/v1/webhooks", handler=add_hook, scope="admin", summary="Add a webhook; its secret is shown once",
        takes={JSON: wire.NewWebhook}, gives={201: {JSON: wire.Webhook}}, params=(IDEMPOTENCY,),
    ),
    Operation(
        method="DELETE", path="/v1/webhooks/{id}", handler=remove_hook, scope="admin", summary="Remove a webhook",
        gives={200: {JSON: wire.Webhook}}, params=(_ID, IDEMPOTENCY), refuses=(404, 422),
    ),
    Operation(
        method="GET", path="/v1/ledger", handler=entries, scope="admin", summary="The ledger", gives={200: {JSON: wire.Entries}},
        params=(CURSOR, LIMIT),
    ),
)  # fmt: skip
