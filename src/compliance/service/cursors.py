"""Pages of lists by a cursor: where the page before ended, so that what is added meanwhile repeats and skips nothing."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Mapping

from compliance.service.problems import Refusal

MOST = 1000


def limit(query: Mapping[str, str]) -> int:
    """Return how many rows a page has; raises Refusal."""
    raw = query.get("limit", "100")
    if not (raw.isascii() and raw.isdigit() and 1 <= int(raw[:9]) <= MOST) or len(raw) > 9:
        raise Refusal("bad-request", f"limit={raw[:20]!r} is not allowed. Allowed: 1 to {MOST}")
    return int(raw)


def write_text(last: str) -> str:
    """Return the cursor after a row."""
    return base64.urlsafe_b64encode(last.encode()).decode()


def text_cursor(query: Mapping[str, str]) -> str:
    """Return the row after which a page begins, empty for the first; raises Refusal."""
    if "cursor" not in query:
        return ""
    try:
        if not query["cursor"]:
            raise ValueError
        return base64.b64decode(query["cursor"].encode(), b"-_", validate=True).decode()
    except (binascii.Error, ValueError):
        raise Refusal("invalid", "This cursor is not one that was given") from None


def number_cursor(query: Mapping[str, str]) -> int | None:
    """Return the number after which a page begins, None for the first; raises Refusal."""
    text = text_cursor(query)
    if not text:
        return None
    if not (text.isascii() and text.isdigit() and len(text) < 19):
        raise Refusal("invalid", "This cursor is not one that was given")
    return int(text)
