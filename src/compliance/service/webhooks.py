"""Webhooks: an event is written down in the transaction that caused it, then sent until it is taken.

Signed as Standard Webhooks has it (`webhook-id`, `webhook-timestamp`, `webhook-signature: v1,BASE64` over
`id.timestamp.body` with HMAC-SHA256). At least once; a receiver goes by `webhook-id`. Addresses that are not public are
refused when the event is sent, on the very address that is then called; redirects are not followed.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import ipaddress
import json
import secrets
import socket
import time
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import urlsplit

from sqlalchemy import select
from sqlmodel import Session

from compliance.service.store import Store, now
from compliance.service.tables import Deliveries, Webhooks

MOST_ATTEMPTS = 12
_PATIENCE = 10.0
_GIVEN_OUT = ipaddress.IPv6Network("2000::/3")


class Unreachable(Exception):
    """An address to which nothing is sent, and why."""


def new_secret() -> str:
    """Return a new secret in the form of Standard Webhooks."""
    return "whsec_" + base64.b64encode(secrets.token_bytes(32)).decode()


def announce(session: Session, at: str, event: str, data: Mapping[str, Any]) -> None:
    """Write an event down for every webhook that listens."""
    body = json.dumps({"type": event, "timestamp": at, "data": data}, ensure_ascii=False, sort_keys=True)
    for hook in session.execute(select(Webhooks).where(Webhooks.removed == "")).scalars():
        if event in hook.events.split():
            session.add(Deliveries(webhook=hook.id, event=event, body=body, due=at))


def sign(secret: str, id: str, moment: int, body: str) -> str:
    """Return the signature header."""
    key = base64.b64decode(secret.removeprefix("whsec_"))
    mac = hmac.new(key, f"{id}.{moment}.{body}".encode(), hashlib.sha256).digest()
    return "v1," + base64.b64encode(mac).decode()


def address(url: str, private: bool) -> tuple[str, int, str]:
    """Return address, port and host name to call; raises Unreachable for what is not public."""
    try:
        parts = urlsplit(url)
        host, given = parts.hostname or "", parts.port
    except ValueError:
        raise Unreachable("this is no address") from None
    if parts.scheme != "https" and not private:
        raise Unreachable("only https is called (http where COMPLIANCE_WEBHOOK_PRIVATE is set)")
    if parts.username or not host:
        raise Unreachable("the address has no host, or a user name")
    try:
        port = given or (443 if parts.scheme == "https" else 80)
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except (OSError, ValueError, UnicodeError):
        raise Unreachable(f"{host[:100]} is not found") from None
    addresses = list(dict.fromkeys(str(entry[4][0]) for entry in found))
    if not private and (inside := [one for one in addresses if not _public(one)]):
        raise Unreachable(f"{host[:100]} leads to {inside[0]}, which is not public")
    return addresses[0], port, host


def _public(text: str) -> bool:
    one = ipaddress.ip_address(text.partition("%")[0])
    if isinstance(one, ipaddress.IPv6Address):  # 2000::/3 is all that was given out; NAT64 and the like lead inside
        return one.is_global and one in _GIVEN_OUT and (one.sixtofour is None or one.sixtofour.is_global)
    return one.is_global and not one.is_multicast


def deliver(store: Store, private: bool, many: int = 20) -> int:
    """Send what is due; return how many were taken by their receivers."""
    return sum(_send(store, *one, private) for one in store.write(lambda session: _claim(session, many)))


def _claim(session: Session, many: int) -> list[tuple[int, str, str, str, int]]:
    """Take what is due, and put it off, so that another process does not send it too."""
    due = select(Deliveries, Webhooks).join(Webhooks, Webhooks.id == Deliveries.webhook)
    due = due.where(Deliveries.done == "", Deliveries.due <= now()).order_by(Deliveries.number).limit(many)
    found = []
    for row, hook in session.execute(due.with_for_update(skip_locked=True)).all():
        row.attempts += 1
        row.due = _later(row.attempts)
        if hook.removed or row.attempts > MOST_ATTEMPTS:
            row.done, row.said = now(), row.said or "given up"
            continue
        assert row.number is not None
        found.append((row.number, hook.url, hook.secret, row.body, row.attempts))
    return found


def _later(attempts: int) -> str:
    wait = timedelta(seconds=min(30 * 2**attempts, 6 * 3600))
    return (datetime.now(UTC) + wait).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def _send(store: Store, number: int, url: str, secret: str, body: str, attempts: int, private: bool) -> bool:
    import httpx

    id, moment = f"msg_{number}", int(time.time())
    try:
        headers = {
            "content-type": "application/json", "webhook-id": id, "webhook-timestamp": str(moment),
            "webhook-signature": sign(secret, id, moment, body), "user-agent": "imaging-compliance",
        }  # fmt: skip
        there, port, host = address(url, private)
        target = httpx.URL(url).copy_with(host=there, port=port)
        headers["host"] = urlsplit(url).netloc
        with httpx.Client(timeout=_PATIENCE, follow_redirects=False, trust_env=False) as client:
            reply = client.post(target, content=body.encode(), headers=headers, extensions={"sni_hostname": host})
        taken, said = reply.is_success, f"status {reply.status_code}"
    except Unreachable as error:
        taken, said = False, str(error)
    except Exception as error:  # whatever it is: the others must still be sent
        taken, said = False, type(error).__name__

    def note(session: Session) -> None:
        row = session.get(Deliveries, number)
        if row is not None:
            row.said, row.done = said, now() if taken else ""

    store.write(note)
    return taken
