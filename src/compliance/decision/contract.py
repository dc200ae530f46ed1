"""The JSON contract of a decision (rule 34 of laws/README.md)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from compliance.decision.decide import Decision, Part, first_of
from compliance.decision.judge import Duty, Evidence, KeeperResult, Lossy
from compliance.decision.missing import Missing
from compliance.decision.reasons import why, why_open_ended
from compliance.law.conditions import NO
from compliance.law.dates import LAST, OPEN, DateRange, write_day
from compliance.law.vocabulary import Members

Json = dict[str, Any]
WORDS = ("no", "maybe", "yes")


def to_json(decision: Decision, missing: Sequence[Missing] = (), id: str | None = None) -> Json:
    """Return the decision as JSON-ready values; every null end comes with a reason."""
    governing, norms = decision.governing, decision.norms
    whole: Json = {
        "as_of": write_day(decision.as_of),
        "disposition": decision.disposition,
        "retain_through": _through(decision.retain, decision),
        "permanent": decision.permanent,
        "binding_retain_through": _through(decision.binding, decision, binding=True),
        "earliest_purge_date": decision.earliest_purge_date.isoformat() if decision.earliest_purge_date else None,
        "destroy_by": _day(decision.destroy_by),
        "ready": decision.ready,
        "valid_on": write_day(decision.as_of),
        "next_change": {"norm": c.norm, "on": write_day(c.on)} if (c := decision.next_change) else None,
        "lossy": _lossy(decision.lossy),
        "norms": [_norm(evidence, name in governing) for name, evidence in sorted(norms.items(), key=_rank(governing))],
        "parts": [_part(part, decision) for part in decision.parts],
        "keepers": [_keeper(keeper, decision) for keeper in decision.keepers] if len(decision.keepers) > 1 else [],
        "duties": [_duty(duty) for duty in decision.duties],
        "holds": [{"id": hold.id} for hold in decision.holds],
        "missing": [_missing(one) for one in missing],
        "assumed": [{"fact": a.fact, "value": a.value, "set": a.set, "why": a.why} for a in decision.assumed],
        "problems": _problems(decision),
        "laws": {"version": decision.law_version, "digest": decision.law_digest},
    }
    return whole if id is None else {"id": id, **whole}


def _day(day: int | None) -> str | None:
    return None if day is None else write_day(day)


def _ends(value: DateRange) -> Json:
    early = None if value.earliest == OPEN else "9999-12-31" if value.earliest > LAST else write_day(value.earliest)
    return {"earliest": early, "latest": None if value.latest >= LAST else write_day(value.latest)}


def _through(value: DateRange, decision: Decision, binding: bool = False) -> Json:
    ends: Json = {**_ends(value), "open": value.earliest > LAST and not decision.permanent}
    if None in (ends["earliest"], ends["latest"]):
        ends["reason"] = why_open_ended(decision, binding)
    return ends


def _lossy(lossy: Lossy) -> Json:
    ratio = int(lossy.max_ratio) if lossy.max_ratio is not None and lossy.max_ratio.is_integer() else lossy.max_ratio
    return {
        "allowed_from": _day(lossy.allowed_from),
        "max_ratio": ratio,
        "status": lossy.status,
        "norms": list(lossy.norms),
    }


def _rank(governing: Sequence[str]) -> Any:
    def rank(item: tuple[str, Evidence]) -> tuple[bool, int, str]:
        name, evidence = item
        return (name not in governing, -evidence.looked.applies, name)

    return rank


def _norm(evidence: Evidence, governs: bool) -> Json:
    looked, norm = evidence.looked, evidence.looked.norm
    found: Json = {
        "id": norm.id,
        "jurisdiction": norm.jurisdiction,
        "kind": norm.kind,
        "force": norm.force,
        "citation": norm.citation,
        "applies": WORDS[looked.applies],
        "why": why(evidence),
        "governs": governs,
        "verification": {
            "status": norm.verification.status,
            "on": str(norm.verification.on) if norm.verification.on else None,
        },
    }
    if looked.range is not None and looked.applies != NO:
        found[{"floor": "retain_through", "ceiling": "destroy_by"}.get(norm.kind, "keep_original_through")] = _ends(
            looked.range
        )
    if looked.overridden_by:
        found["overridden_by"] = list(looked.overridden_by)
    return found


def _part(part: Part, decision: Decision) -> Json:
    fold = part.result.fold
    through: Json = {**_ends(fold.full), "open": fold.full.earliest > LAST and not fold.permanent}
    if None in (through["earliest"], through["latest"]):
        through["reason"] = why_open_ended(decision)
    return {
        "record": part.result.record,
        "retain_through": through,
        "permanent": fold.permanent,
        "destroy_by": _day(part.result.destroy_by),
        "disposition": part.disposition,
        "governing": part.governing,
        **({"jurisdiction": part.keeper.code} if len(decision.keepers) > 1 else {}),
    }


def _keeper(keeper: KeeperResult, decision: Decision) -> Json:
    own = [part for part in decision.parts if part.keeper is keeper]
    full = DateRange(max(p.result.fold.full.earliest for p in own), max(p.result.fold.full.latest for p in own))
    last = max(own, key=lambda part: part.result.fold.full.latest)
    days = [part.result.destroy_by for part in own if part.result.destroy_by is not None]
    return {
        "jurisdiction": keeper.code or None,
        "facility_type": _word(keeper, "facility_type"),
        "keeper_role": _word(keeper, "keeper_role"),
        "retain_through": {
            **_ends(full),
            "open": full.earliest > LAST and not any(part.result.fold.permanent for part in own),
        },
        "destroy_by": _day(min(days, default=None)),
        "disposition": first_of([part.disposition for part in own]),
        "governing": last.governing,
    }


def _word(keeper: KeeperResult, fact: str) -> str | None:
    value = keeper.situation.value(fact)
    return str(value) if isinstance(value, Members) and value.must else None


def _duty(duty: Duty) -> Json:
    version = duty.version
    found: Json = {"id": duty.norm.id, "duty": version.duty}
    found.update(
        {key: value for key, value in (("who", version.who), ("what", version.what), ("lead", version.lead)) if value}
    )
    if version.period is not None:
        found["keep"] = str(version.period)
    return {**found, "applies": WORDS[duty.applies], "done": duty.done, "citation": duty.norm.citation}


def _missing(one: Missing) -> Json:
    effects: list[Json] = []
    for effect in one.effect:
        day = effect.earliest_purge_date
        entry: Json = {"if": effect.condition, "earliest_purge_date": day.isoformat() if day else None}
        effects.append({**entry, "varies": True} if effect.varies else entry)
    return {"fact": one.fact, "effect": effects}


def _problems(decision: Decision) -> list[Json]:
    bad = [{"code": "bad-data", "fact": one.fact, "message": one.message} for one in decision.problems]
    notes = [
        {"code": "no-law" if "no law" in note else "no-place", "fact": "jurisdiction", "message": note}
        for note in decision.notes
    ]
    return [*bad, *notes]
