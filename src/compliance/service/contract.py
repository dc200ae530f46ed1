"""The contract: a table of operations, from which routes, scopes and the OpenAPI document are made.

The document served knows the vocabulary of the law base served; the frozen one (docs/api) leaves it open, since it grows.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

import msgspec
from starlette.requests import Request
from starlette.responses import Response

from compliance import __version__
from compliance.law.vocabulary import Vocabulary
from compliance.service import problems, wire
from compliance.service.serving import caller

JSON = "application/json"
Handler = Callable[[Request], Awaitable[Response]]


TEXT = {"type": "string", "maxLength": 200, "pattern": "^[^\\u0000-\\u001f\\u007f]*$"}


@dataclass(frozen=True, slots=True)
class Param:
    """A parameter of a query or path."""

    name: str
    says: str
    schema: Mapping[str, Any] = field(default_factory=lambda: TEXT)
    where: str = "query"
    example: Any = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Operation:
    """One operation: what it takes (media type -> type), what it gives (status -> media type -> type), who may.

    A type is a struct, a JSON schema, or None (anything of that media type).
    """

    method: str
    path: str
    handler: Handler
    scope: str
    summary: str
    says: str = ""
    takes: Mapping[str, Any] = field(default_factory=dict)
    gives: Mapping[int, Mapping[str, Any]] = field(default_factory=dict)
    params: tuple[Param, ...] = ()
    refuses: tuple[int, ...] = ()
    example: Any = None
    headers: Mapping[str, str] = field(default_factory=dict)

    @property
    def id(self) -> str:
        """The operation's name in generated clients."""
        words = [
            word for word in self.path.replace("{", "").replace("}", "").replace(":path", "").split("/") if word != "v1"
        ]
        return "_".join([self.method.lower(), *filter(None, words)]).replace("-", "_")

    async def __call__(self, request: Request) -> Response:
        """Answer a request, if its caller may ask."""
        if self.scope and not caller(request).may(self.scope):
            raise problems.Refusal("forbidden", f"This needs a key of scope {self.scope}")
        return await self.handler(request)


COMMON = (400, 401, 403, 408, 421, 429, 500, 503)
IDEMPOTENCY = Param(
    "Idempotency-Key", "the same key and request again get the first reply, for 48 hours",
    {"type": "string", "minLength": 1, "maxLength": 255, "pattern": "^[!-~]+$"}, "header",
)  # fmt: skip
CURSOR = Param("cursor", "`next` of the page before", {"type": "string", "pattern": "^[A-Za-z0-9_=-]{1,200}$"})
LIMIT = Param("limit", "rows a page", {"type": "integer", "minimum": 1, "maximum": 1000, "default": 100})
AS_OF = Param("as_of", "the day of the question (default: today)", {"$ref": "#/components/schemas/Day"})
ASSUME = Param(
    "assume", "assumptions for absent facts, in order, joined by commas",
    {"type": "string", "enum": ["cautious", "practical", "cautious,practical", "practical,cautious"]},
)  # fmt: skip


def openapi(operations: Iterable[Operation], vocabulary: Vocabulary | None) -> dict[str, Any]:
    """Return the OpenAPI 3.1 document; without a vocabulary, facts stay open."""
    operations = list(operations)
    components = _components(operations, vocabulary)
    paths: dict[str, Any] = {}
    for operation in operations:
        path = operation.path.replace(":path", "")
        paths.setdefault(path, {})[operation.method.lower()] = _operation(operation)
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "imaging-compliance", "version": __version__, "license": {"name": "Apache-2.0", "identifier": "Apache-2.0"},
            "description": "From which day may a medical image lawfully be purged, under which statute, and what must be done "
            "first? No warranty, not legal advice.",
        },
        "paths": paths,
        "components": {
            "schemas": components,
            "securitySchemes": {
                "key": {"type": "http", "scheme": "bearer", "description": "an API key (ick_...) or an OIDC token"}
            },
        },
        "security": [{"key": []}, {}],
    }  # fmt: skip


def _types(operations: Iterable[Operation]) -> list[Any]:
    found: dict[int, Any] = {id(wire.Problem): wire.Problem}
    for operation in operations:
        for kind in [*operation.takes.values(), *(k for by in operation.gives.values() for k in by.values())]:
            if isinstance(kind, type):
                found[id(kind)] = kind
    found.update({id(kind): kind for kind in (wire.Ask, wire.Brief, wire.Decision, wire.Unanswered)})
    return list(found.values())


def _components(operations: list[Operation], vocabulary: Vocabulary | None) -> dict[str, Any]:
    kinds = _types(operations)
    _, components = msgspec.json.schema_components(kinds, ref_template="#/components/schemas/{name}")
    found: dict[str, Any] = dict(components)
    day = msgspec.json.schema(wire.Day)
    found["Day"] = day
    found["FactValue"] = {
        "description": "a date (2010-05-17, 2010-05, 2010, ../2010, 2007/.., never, happened, unknown), a word, a list of "
        "words, true or false",
        "type": ["string", "number", "boolean", "array", "object", "null"],
    }
    value = {"$ref": "#/components/schemas/FactValue"}
    names = sorted(vocabulary.facts) if vocabulary else []
    facts: dict[str, Any] = {"type": "object", "properties": dict.fromkeys(names, value)}
    facts["additionalProperties"] = value if vocabulary is None else False
    found["KeeperFacts"] = facts
    keepers = {"type": ["array", "null"], "maxItems": 50, "items": {"$ref": "#/components/schemas/KeeperFacts"}}
    found["StudyFacts"] = {**facts, "properties": {**facts["properties"], "keepers": keepers}}
    for name in ("Ask", "Guard"):
        if name in found:
            found[name]["properties"]["facts"] = {"$ref": "#/components/schemas/StudyFacts"}
    return dict(sorted(found.items()))


def _operation(operation: Operation) -> dict[str, Any]:
    refuses = set(operation.refuses) | set(COMMON)
    if operation.takes:
        refuses |= {413, 415, 422}
    if CURSOR in operation.params:
        refuses.add(422)
    found: dict[str, Any] = {
        "operationId": operation.id, "summary": operation.summary, "tags": [operation.path.split("/")[-1 if operation.path.count("/") < 2 else 2]],
        "responses": {str(status): _given(by, operation) for status, by in operation.gives.items()},
    }  # fmt: skip
    if operation.says:
        found["description"] = operation.says
    if operation.params:
        found["parameters"] = [_param(param) for param in operation.params]
    if operation.takes:
        content: dict[str, Any] = {
            media: {} if kind is None else {"schema": _schema(kind)} for media, kind in operation.takes.items()
        }
        if operation.example is not None and JSON in content:
            content[JSON]["example"] = operation.example
        found["requestBody"] = {"required": True, "content": content}
    if not operation.scope:
        found["security"], refuses = [{}], refuses - {401, 403}
    by_status = problems.kinds()
    for status in sorted(refuses):
        schema = {"$ref": "#/components/schemas/Problem"}
        says = ", ".join(by_status[status])
        found["responses"][str(status)] = {"description": says, "content": {problems.MEDIA_TYPE: {"schema": schema}}}
    return found


def _param(param: Param) -> dict[str, Any]:
    found: dict[str, Any] = {
        "name": param.name,
        "in": param.where,
        "description": param.says,
        "schema": dict(param.schema),
    }
    found["required"] = param.where == "path"
    return found if param.example is None else {**found, "example": param.example}


def _given(by: Mapping[str, Any], operation: Operation) -> dict[str, Any]:
    found: dict[str, Any] = {"description": operation.summary}
    if by:
        found["content"] = {media: ({} if kind is None else {"schema": _schema(kind)}) for media, kind in by.items()}
    if operation.headers:
        found["headers"] = {
            name: {"description": says, "schema": {"type": "string"}} for name, says in operation.headers.items()
        }
    return found


def _schema(kind: Any) -> Any:
    if isinstance(kind, type):
        return {"$ref": f"#/components/schemas/{kind.__name__}"}
    return kind


def ref(name: str) -> dict[str, str]:
    """Return a reference to a schema of the document."""
    return {"$ref": f"#/components/schemas/{name}"}
