"""Refusals for people and programs: RFC 9457 problem details, with the fields that are wrong."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TypeVar

import msgspec
from starlette.responses import Response

from compliance.errors import ComplianceError
from compliance.service.wire import Problem

T = TypeVar("T")
MEDIA_TYPE = "application/problem+json"
_TITLES = {
    "bad-request": (400, "The request cannot be read"),
    "unauthenticated": (401, "Say who you are"),
    "forbidden": (403, "Your key does not reach this"),
    "not-found": (404, "There is no such thing"),
    "method": (405, "This method is not allowed here"),
    "not-acceptable": (406, "No such form of the answer"),
    "too-slow": (408, "The body did not arrive in time"),
    "conflict": (409, "It stands in the way of what is on file"),
    "precondition": (412, "It has changed since you read it"),
    "too-large": (413, "The body is too large"),
    "media-type": (415, "No such form of a body is read here"),
    "misdirected": (421, "The service is not called by this name"),
    "bad-facts": (422, "These facts cannot be read"),
    "invalid": (422, "The body does not say what it must"),
    "identifiable": (422, "Facts of a person do not belong in an address"),
    "key-reused": (422, "The idempotency key belongs to another request"),
    "too-many": (429, "Too many requests"),
    "fault": (500, "A fault of the service"),
    "store-away": (503, "The store is not at hand"),
    "full": (503, "Too many streams at once"),
}


class Refusal(Exception):
    """A request that is refused, with what to answer."""

    def __init__(
        self,
        kind: str,
        detail: str,
        errors: list[dict[str, str]] | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(detail)
        self.kind, self.detail, self.errors, self.headers = kind, detail, errors or [], dict(headers or {})

    @property
    def status(self) -> int:
        """The HTTP status."""
        return _TITLES[self.kind][0]

    def problem(self, instance: str = "") -> Problem:
        """Return the problem details."""
        status, title = _TITLES[self.kind]
        return Problem(f"urn:imaging-compliance:problem:{self.kind}", title, status, self.detail, instance, self.errors)

    def response(self, instance: str = "") -> Response:
        """Return the answer."""
        return Response(msgspec.json.encode(self.problem(instance)), self.status, self.headers, MEDIA_TYPE)


def on_file(row: T | None, what: str, path: str) -> T:
    """Return what was looked for by its id; raises Refusal where there is none. `path` lists what there is."""
    if row is None:
        raise Refusal("not-found", f"No {what} has this id (GET {path})")
    return row


def of_error(error: ComplianceError, kind: str = "bad-facts") -> Refusal:
    """Return the refusal for an error of the rooms below."""
    wrong = [{"path": problem.path, "message": problem.message} for problem in error.problems]
    return Refusal(kind, str(error.args[0]), wrong)


def kinds() -> dict[int, list[str]]:
    """Return the kinds of problems by status."""
    found: dict[int, list[str]] = {}
    for kind, (status, _) in _TITLES.items():
        found.setdefault(status, []).append(kind)
    return found
