"""report.html: one self-contained page a lawyer can hand in; what does not fit stays in the data files, and it says so."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import jinja2

from compliance.audit.findings import LEVELS, RANK
from compliance.audit.results import FindingFile
from compliance.audit.run import Audit, Order
from compliance.decision.explain import DISCLAIMER, MAY_PURGE
from compliance.law.knowledge import KnowledgeBase
from compliance.law.statutes import Norm
from compliance.report.charts import bars, volume

SHOWN = 2_000
PER_CODE = 400
EXPLAINED = 300
MEANING = {
    "purged-early": "a study was deleted before its binding period had run, apparently, on the facts stated, and no copy is left",
    "purged-under-hold": "a study was deleted while a hold was in force",
    "purge-doubtful": "a deletion that may have been too early",
    "scheduled-early": "the archive itself would delete the study before its binding period has run",
    "lossy-unlawful": "compressed with loss where binding law asks for the original",
    "kept-too-long": "a ceiling has passed: the study had to be destroyed",
    "part-kept-too-long": "a part of a study had to be destroyed, another must stay",
    "conflict": "a floor against a ceiling: a person must decide",
    "hold-unmatched": "a hold in force matches nothing in the archive",
    "undetermined": "no day can be given on what is known",
    "bad-data": "dates or ages that cannot be true",
    "law-unverified": "the norm that decides was entered from memory",
    "law-stale": "a norm that decides was last looked at long ago",
    "duty-open": "may go only after a duty is done",
    "waiver-expired": "a waiver has run out",
    "waiver-dead": "a waiver matches no finding",
}


@dataclass(frozen=True)
class About:
    """What the report says of itself: the command, digests, and whether the law version was adopted."""

    command: str
    privileged: bool
    waivers_digest: str
    program: str


def templates() -> Path:
    """Return the folder of templates, in the wheel or beside the sources."""
    inside = Path(__file__).parents[1] / "_templates"
    return inside if inside.is_dir() else Path(__file__).parents[3] / "templates"


def render(audit: Audit, order: Order, about: About, explanations: Mapping[str, str]) -> str:
    """Return the report as HTML; every value is escaped by the template."""
    loader = jinja2.FileSystemLoader(templates())
    environment = jinja2.Environment(
        loader=loader, autoescape=True, undefined=jinja2.StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    environment.filters["volume"] = volume
    environment.filters["count"] = lambda number: f"{number:,}"
    return environment.get_template("report.html").render(**values(audit, order, about, explanations))


def values(audit: Audit, order: Order, about: About, explanations: Mapping[str, str]) -> dict[str, Any]:
    """Return everything the template shows."""
    profile, base = order.profile, order.profile.knowledge
    today = order.as_of.isoformat()
    adopted, shown = profile.adopted, groups(audit.findings)
    return {
        "profile": profile, "as_of": today, "about": about, "audit": audit, "law": base, "inventory": order.inventory,
        "numbers": _numbers(audit), "purgeable": _purgeable(audit), "blocked": audit.tally.blocked.rows(),
        "adopted": "adopted" if adopted and adopted.digest == base.digest else "not adopted" if adopted else "no law version adopted",
        "may_purge": MAY_PURGE.format(day=today), "disclaimer": DISCLAIMER,
        "levels": _levels(audit.findings), "groups": shown, "explanations": explanations, "meaning": MEANING,
        "missing": audit.tally.missing.rows()[:12], "assumed": _assumed(audit, order), "sources": _sources(audit, base), "charts": _charts(audit),
        "cut": len(audit.findings) - sum(len(group["rows"]) for group in shown), "per_code": PER_CODE,
        "cost": _cost(audit, profile.cost), "total": sum(audit.tally.dispositions.studies.values()),
    }  # fmt: skip


def _numbers(audit: Audit) -> list[dict[str, Any]]:
    total, size = sum(audit.tally.dispositions.studies.values()), sum(audit.tally.dispositions.bytes.values())
    breach = audit.tally.breach.studies["apparent breach"], audit.tally.breach.bytes["apparent breach"]
    open_ = audit.tally.dispositions.studies["undetermined"], audit.tally.dispositions.bytes["undetermined"]
    return [
        {"label": "apparent breach", "studies": breach[0], "bytes": breach[1], "class": "bad"},
        {
            "label": "no breach found",
            "studies": max(0, total - breach[0] - open_[0]),
            "bytes": max(0, size - breach[1] - open_[1]),
            "class": "good",
        },
        {"label": "could not be determined", "studies": open_[0], "bytes": open_[1], "class": "open"},
    ]


def _purgeable(audit: Audit) -> dict[str, Any]:
    both = ("ready", "a duty comes first")
    return {"studies": sum(audit.tally.ready.studies[k] for k in both), "bytes": sum(audit.tally.ready.bytes[k] for k in both),
            "ready": audit.tally.ready.studies["ready"], "priors": audit.tally.only_priors}  # fmt: skip


def _levels(findings: FindingFile) -> list[tuple[str, str, int, int]]:
    counts = {(code, waived): many for code, waived, many in findings.counts()}
    codes = sorted({code for code, _ in counts}, key=_worst_first)
    return [(LEVELS[code], code, counts.get((code, False), 0), counts.get((code, True), 0)) for code in codes]


def _worst_first(code: str) -> tuple[int, str]:
    return RANK[LEVELS[code]], code


def groups(findings: FindingFile) -> list[dict[str, Any]]:
    """Group findings by code, each group cut to what a page can bear."""
    counts = Counter[str]()
    for code, _, many in findings.counts():
        counts[code] += many
    room, shown = SHOWN, []
    for code in sorted(counts, key=_worst_first):
        rows = findings.first(code, min(PER_CODE, max(room, 20)))
        room -= len(rows)
        shown.append({"code": code, "level": LEVELS[code], "rows": rows, "all": counts[code]})
    return shown


def to_explain(findings: FindingFile, most: int = EXPLAINED) -> dict[str, list[str]]:
    """Return the studies whose explanation the page shows, each with the fingerprints of its findings."""
    wanted: dict[str, list[str]] = {}
    for group in groups(findings):
        for finding in group["rows"][: most // 8]:
            if finding.study and (finding.study in wanted or len(wanted) < most):
                wanted.setdefault(finding.study, []).append(finding.fingerprint)
    return wanted


def _assumed(audit: Audit, order: Order) -> list[dict[str, Any]]:
    whys = {
        (e.fact, e.told.set): (e.told.value, e.told.why) for chosen in order.profile.assumptions for e in chosen.entries
    }
    return [
        {
            "fact": fact,
            "set": name,
            "value": whys.get((fact, name), ("", ""))[0],
            "why": whys.get((fact, name), ("", ""))[1],
            "studies": number,
        }
        for key, number in sorted(audit.tally.assumed.items(), key=lambda item: (-item[1], item[0]))
        for fact, _, name in [key.partition("|")]
    ]


def _sources(audit: Audit, base: KnowledgeBase) -> list[tuple[Norm, int]]:
    found = [(base.index[name], number) for name, number in audit.tally.applied.items() if name in base.index]
    return sorted(found, key=lambda item: (item[0].jurisdiction, item[0].id))


def _charts(audit: Audit) -> dict[str, str]:
    years = sorted(audit.tally.by_year.rows(), key=lambda row: row["key"])
    first, later = years[:15], years[15:]
    if later:
        first.append(
            {"key": "later", "studies": sum(r["studies"] for r in later), "bytes": sum(r["bytes"] for r in later)}
        )

    def of(rows: list[dict[str, Any]]) -> list[tuple[str, float, str]]:
        return [(row["key"], row["bytes"], f"{volume(row['bytes'])}, {row['studies']:,} studies") for row in rows]

    findings = Counter[str]()
    for code, _, many in audit.findings.counts():
        findings[code] += many
    return {
        "findings": bars([(code, n, f"{n:,}") for code, n in findings.most_common()], "findings by kind"),
        "dispositions": bars(of(audit.tally.dispositions.rows()), "volume by disposition"),
        "years": bars(of(first), "volume by the year from which it may go"),
        "places": bars(of(audit.tally.by_place.rows()[:20]), "volume by jurisdiction"),
    }


def _cost(audit: Audit, cost: Mapping[str, Any]) -> str:
    if not cost:
        return ""
    return f"{_purgeable(audit)['bytes'] / 1e12 * cost['per_tb_year']:,.0f} {cost['currency']} a year"
