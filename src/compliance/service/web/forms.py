"""Forms of browsers, handed on to the operations of the API, so that a page can do no more and no less than they can."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any
from urllib.parse import parse_qsl, urlencode

from starlette.requests import Request
from starlette.responses import Response
from starlette.types import Message

from compliance.service.problems import Refusal
from compliance.service.serving import need_type

POLICY = (
    "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self' data:; connect-src 'self'; form-action 'self'; "
    "base-uri 'none'; frame-ancestors 'none'"
)
FORM = "application/x-www-form-urlencoded"
_MOST_FIELDS = 300


def html(text: str | bytes, status: int = 200, headers: Mapping[str, str] | None = None) -> Response:
    """Return a page."""
    return Response(text, status, {"content-security-policy": POLICY, **(headers or {})}, "text/html")


def body_of(response: Response) -> Any:
    """Return what an operation answered."""
    return json.loads(bytes(response.body))


async def form_of(request: Request) -> dict[str, str]:
    """Return the fields of a form that hold something; raises Refusal."""
    need_type(request, FORM)
    try:
        pairs = parse_qsl((await request.body()).decode(), max_num_fields=_MOST_FIELDS, errors="strict")
    except (UnicodeDecodeError, ValueError):
        raise Refusal("bad-request", "The form cannot be read") from None
    return {name: value.replace("\r\n", "\n") for name, value in pairs if value.strip()}


def with_json(request: Request, body: Mapping[str, Any], **path: str) -> Request:
    """Return the same request (caller, address) with a JSON body and parameters of the path."""
    headers = [
        (name, value) for name, value in request.scope["headers"] if name not in (b"content-type", b"content-length")
    ]
    raw = json.dumps(body).encode()

    async def receive() -> Message:
        return {"type": "http.request", "body": raw, "more_body": False}

    scope = {
        **request.scope,
        "headers": [*headers, (b"content-type", b"application/json")],
        "path_params": path,
        "query_string": b"",
    }
    return Request(scope, receive)


def with_query(request: Request, **query: str) -> Request:
    """Return the same request with another query; empty values are left out."""
    given = {name: value for name, value in query.items() if value}
    return Request({**request.scope, "query_string": urlencode(given).encode()})


def facts_of(given: Mapping[str, str], types: Mapping[str, str]) -> dict[str, Any]:
    """Return the facts of a form as JSON has them: sets by commas, booleans as words; `types` by fact."""
    facts: dict[str, Any] = {}
    for name, raw in given.items():
        value = raw.strip()
        several = types.get(name) in ("set", "places") and value != "unknown"
        facts[name] = [word.strip() for word in value.split(",") if word.strip()] if several else value
    return facts


def scope_of(text: str) -> dict[str, Any]:
    """Return the scope of a hold from lines `fact: value, value`; raises Refusal."""
    found: dict[str, Any] = {}
    for line in filter(None, map(str.strip, text.splitlines())):
        name, sign, value = line.partition(":")
        if not sign or not value.strip():
            raise Refusal("invalid", f"{line[:60]!r} is not FACT: VALUE, VALUE")
        words = [word.strip() for word in value.split(",") if word.strip()]
        found[name.strip()] = (
            words[0]
            if len(words) == 1 and ("/" in words[0] or words[0][:4].isdigit() or words[0] in ("true", "false"))
            else words
        )
    if not found:
        raise Refusal("invalid", "A hold needs a scope: FACT: VALUE, one a line")
    return found
