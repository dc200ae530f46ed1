"""A typed client of the purge-date API: `with Client("http://localhost:8000", key=...) as api: api.decide({...})`.

It needs httpx and msgspec alone. Answers are structs of `wire`; what a later version of the service adds is passed over.
Writes carry an idempotency key and are sent again where the connection broke or the service asks to wait.
"""

from __future__ import annotations

import time
import uuid
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import date
from pathlib import Path
from types import TracebackType
from typing import Any, TypeVar

import httpx
import msgspec

from compliance.errors import ComplianceError, UsageError
from compliance.service import wire

T = TypeVar("T")
Facts = Mapping[str, Any]
_ATTEMPTS = 4
_LONGEST_WAIT = 30.0


class ApiError(ComplianceError):
    """The service refused; `problem` says why (RFC 9457)."""

    def __init__(self, problem: wire.Problem) -> None:
        wrong = "".join(f"\n{one.get('path', '')}: {one.get('message', '')}" for one in problem.errors)
        said = problem.detail if problem.detail.startswith(problem.title) else f"{problem.title}: {problem.detail}"
        super().__init__(f"{said}{wrong}")
        self.problem = problem

    @property
    def status(self) -> int:
        """The HTTP status."""
        return self.problem.status


class Client:
    """One service. Raises ApiError for refusals, UsageError where it cannot be reached."""

    def __init__(
        self, url: str, key: str | None = None, timeout: float = 60, transport: httpx.BaseTransport | None = None
    ) -> None:
        headers = {"authorization": f"Bearer {key}"} if key else {}
        self._http = httpx.Client(base_url=url, headers=headers, timeout=timeout, transport=transport)

    def __enter__(self) -> Client:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Close the connections."""
        self._http.close()

    def decide(self, facts: Facts, as_of: date | None = None, assume: str | None = None) -> wire.Decision:
        """Decide one study."""
        body = {"facts": facts, **({"as_of": as_of.isoformat()} if as_of else {})}
        return self._post("/v1/decisions", body, wire.Decision, assume=assume)

    def decide_many(self, questions: Sequence[Mapping[str, Any]], assume: str | None = None) -> list[wire.Brief]:
        """Decide up to 10,000 studies, without the grounds; a question is `{"id", "as_of", "facts"}`."""
        return self._post("/v1/decisions", list(questions), list[wire.Brief], assume=assume, detail="brief")

    def decide_stream(
        self, questions: Iterable[Mapping[str, Any]], assume: str | None = None
    ) -> Iterator[wire.Brief | wire.Unanswered]:
        """Decide any number of studies, answers in order while questions are still being sent."""
        lines = (msgspec.json.encode(question) + b"\n" for question in questions)
        query = {name: value for name, value in (("assume", assume), ("detail", "brief")) if value}
        headers = {"content-type": "application/x-ndjson"}
        with self._http.stream("POST", "/v1/decisions", params=query, content=lines, headers=headers) as response:
            if response.is_error:
                response.read()
                raise _refused(response)
            for line in response.iter_lines():
                found: dict[str, Any] = msgspec.json.decode(line)
                yield (
                    msgspec.convert(found, wire.Unanswered) if "error" in found else msgspec.convert(found, wire.Brief)
                )

    def guard(self, facts: Facts, reason: str, copies_left: int, level: str = "study") -> wire.Verdict:
        """Ask whether an object may be deleted now; only `allowed` means yes."""
        body = {"facts": facts, "reason": reason, "copies_left": copies_left, "level": level}
        return self._post("/v1/guard", body, wire.Verdict)

    def explain(self, facts: Facts, as_of: date | None = None, form: str = "text/plain") -> str:
        """Return the decision for people, as text/plain, text/markdown or text/html."""
        body = {"facts": facts, **({"as_of": as_of.isoformat()} if as_of else {})}
        return self._send("POST", "/v1/explain", json=body, headers={"accept": form}).text

    def laws(self, jurisdiction: str | None = None) -> Iterator[wire.StatuteLine]:
        """Yield the law files."""
        for page in self._pages("/v1/laws", wire.Statutes, {"jurisdiction": jurisdiction}):
            yield from page.items

    def law(self, id: str, as_of: date | None = None) -> wire.Statute:
        """Return one law file."""
        return self._get(f"/v1/laws/{id}", wire.Statute, as_of=as_of.isoformat() if as_of else None)

    def jurisdictions(self) -> list[wire.Jurisdiction]:
        """Return the places."""
        return self._get("/v1/jurisdictions", wire.Jurisdictions).items

    def facts(self) -> list[wire.FactText]:
        """Return the vocabulary."""
        return self._get("/v1/facts", wire.Facts).items

    def register_audit(self, report: Path) -> wire.Audit:
        """Register the audit whose report lies in a folder (summary.json, findings.jsonl)."""
        summary = msgspec.json.encode(msgspec.json.decode((report / "summary.json").read_bytes()))
        body = summary + b"\n" + (report / "findings.jsonl").read_bytes()
        response = self._send("POST", "/v1/audits", content=body, headers={"content-type": "application/x-ndjson"})
        return msgspec.json.decode(response.content, type=wire.Audit)

    def audits(self) -> Iterator[wire.Audit]:
        """Yield the audits, the newest first."""
        for page in self._pages("/v1/audits", wire.Audits, {}):
            yield from page.items

    def findings(self, **filters: str) -> Iterator[wire.Finding]:
        """Yield findings: `audit`, `code`, `level`, `site`, `study`, `norm`, `fingerprint`."""
        for page in self._pages("/v1/findings", wire.Findings, filters):
            yield from page.items

    def holds(self, state: str = "all") -> list[wire.Hold]:
        """Return the register of holds: all, in_force, released."""
        return self._get("/v1/holds", list[wire.Hold], state=state)

    def hold(self, id: str, scope: Mapping[str, Any], issued_by: str, **more: str) -> wire.Hold:
        """Put a hold in force."""
        return self._post("/v1/holds", {"id": id, "scope": scope, "issued_by": issued_by, **more}, wire.Hold)

    def release(self, id: str, released_by: str, why: str) -> wire.Hold:
        """Release a hold."""
        return self._post(f"/v1/holds/{id}/release", {"released_by": released_by, "why": why}, wire.Hold)

    def _pages(self, path: str, kind: type[T], query: Mapping[str, str | None]) -> Iterator[T]:
        cursor: str | None = None
        while True:
            page = self._get(path, kind, **query, limit="1000", cursor=cursor)
            yield page
            cursor = getattr(page, "next", None)
            if cursor is None:
                return

    def _get(self, path: str, kind: type[T], **query: str | None) -> T:
        asked = {name: value for name, value in query.items() if value is not None}
        return msgspec.json.decode(self._send("GET", path, params=asked).content, type=kind)

    def _post(self, path: str, body: Any, kind: type[T], **query: str | None) -> T:
        asked = {name: value for name, value in query.items() if value is not None}
        return msgspec.json.decode(self._send("POST", path, json=body, params=asked).content, type=kind)

    def _send(self, method: str, path: str, **more: Any) -> httpx.Response:
        headers = {**more.pop("headers", {}), **({"idempotency-key": uuid.uuid4().hex} if method == "POST" else {})}
        for attempt in range(_ATTEMPTS):
            last = attempt == _ATTEMPTS - 1
            try:
                response = self._http.request(method, path, headers=headers, **more)
            except httpx.TransportError as error:
                if last:
                    raise UsageError(f"{self._http.base_url} cannot be reached: {error}") from None
                time.sleep(0.2 * 2**attempt)
                continue
            if response.status_code in (429, 503) and not last:
                wait = response.headers.get("retry-after", "1")
                time.sleep(min(float(wait) if wait.isdigit() else 1.0, _LONGEST_WAIT))
                continue
            if response.is_error:
                raise _refused(response)
            return response
        raise AssertionError("the last attempt returns or raises")


def _refused(response: httpx.Response) -> ApiError:
    try:
        return ApiError(msgspec.json.decode(response.content, type=wire.Problem))
    except msgspec.DecodeError:
        return ApiError(wire.Problem("about:blank", response.reason_phrase, response.status_code, response.text[:200]))
