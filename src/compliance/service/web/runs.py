"""What the list of audits shows of each; a summary is what somebody handed in, so nothing of it is taken for granted."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from compliance.audit.findings import LEVELS


def shown(run: Mapping[str, Any]) -> dict[str, Any]:
    """Return a registered audit with how many studies, how many could be judged, and its findings by code."""
    summary = run["summary"]
    rows = summary.get("dispositions")
    studies = sum(_count(row.get("studies")) for row in rows if isinstance(row, dict)) if isinstance(rows, list) else 0
    judged, codes = summary.get("determined_percent"), summary.get("findings")
    found = {code: _count(codes.get(code)) for code in LEVELS} if isinstance(codes, dict) else {}
    return {
        **run, "studies": studies, "judged": f"{judged} %" if isinstance(judged, int | float) else "–",
        "codes": [(code, LEVELS[code], number) for code, number in found.items() if number],
    }  # fmt: skip


def _count(raw: Any) -> int:
    return raw if isinstance(raw, int) else 0
