"""GET /docs: the contract as a page, made from the OpenAPI document; no script, nothing loaded from elsewhere."""

from __future__ import annotations

import json
import re
from functools import lru_cache
from typing import Any

import jinja2
from markupsafe import Markup, escape
from starlette.requests import Request
from starlette.responses import Response

from compliance.report.html import templates
from compliance.service.contract import Operation

_POLICY = "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'"


@lru_cache(maxsize=1)
def _environment() -> jinja2.Environment:
    made = jinja2.Environment(
        loader=jinja2.FileSystemLoader(templates()), autoescape=True, trim_blocks=True, lstrip_blocks=True
    )
    made.filters["shape"] = shape
    made.filters["marked"] = marked
    made.filters["example"] = lambda value: json.dumps(value, ensure_ascii=False, indent=1)
    return made


def marked(text: str) -> Markup:
    """Return a text of the contract for a page: what stands between backticks is code."""
    return Markup(re.sub(r"`([^`]+)`", r"<code>\1</code>", str(escape(text))))


def shape(schema: dict[str, Any]) -> str:
    """Return a schema in a few words."""
    if "$ref" in schema:
        return str(schema["$ref"]).rpartition("/")[2]
    if "anyOf" in schema:
        return " or ".join(dict.fromkeys(shape(one) for one in schema["anyOf"]))
    if "enum" in schema:
        return ", ".join(map(str, schema["enum"]))
    kind = schema.get("type", "anything")
    if kind == "array":
        return f"list of {shape(schema.get('items', {}))}"
    return " or ".join(kind) if isinstance(kind, list) else str(kind)


async def docs(request: Request) -> Response:
    """Show the contract."""
    text = _environment().get_template("reference.html").render(contract=request.app.openapi())
    return Response(text, 200, {"content-security-policy": _POLICY}, "text/html")


OPERATIONS = (
    Operation(method="GET", path="/docs", handler=docs, scope="read", summary="The contract as a page", gives={200: {"text/html": None}}),
)  # fmt: skip
