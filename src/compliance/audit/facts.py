"""From an inventory row to the facts that are asked about: typed values, no text in between."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from compliance.archive.inventory import EPOCH
from compliance.audit.profile import Site
from compliance.decision.apply import norm_set
from compliance.decision.holds import Hold
from compliance.law.conditions import facts_in
from compliance.law.dates import NEVER, DateRange
from compliance.law.knowledge import KnowledgeBase
from compliance.law.periods import facts_of, lines
from compliance.law.vocabulary import UNKNOWN, FactType, Members, Value, Vocabulary, read_value

_SKIP = {"row", "sex", "n_series", "n_instances", "bytes", "lossy", "lossy_ratio_max", "deidentified", "trial_protocol",
         "archive_expiry", "received_at", "client", "seen_at", "source", "problems"}  # fmt: skip


def columns_of(vocabulary: Vocabulary, names: Iterable[str]) -> dict[str, FactType]:
    """Return the columns of an inventory that are facts."""
    kinds = {name: vocabulary.type_of(name) for name in names if name not in _SKIP}
    return {name: kind for name, kind in kinds.items() if kind is not None}


def facts_of_row(row: Mapping[str, Any], columns: Mapping[str, FactType], site: Site) -> dict[str, Value]:
    """Return the facts of one study; raises ValueError where an extra column holds no value of its fact.

    De-identified studies: dates count as written unknown unless the profile vouches for them (SEMANTICS 28).
    """
    facts: dict[str, Value] = {"site": site.id}
    blurred = bool(row.get("deidentified")) and not site.vouch_dates
    for name, kind in columns.items():
        raw = row.get(name)
        if kind.type == "date":
            if blurred and (raw is not None or name in ("study_date", "birth_date")):
                facts[name] = UNKNOWN
            elif raw is not None:
                facts[name] = _range(raw, row.get(f"{name}_span"))
        elif raw is not None and raw != "":
            facts[name] = _value(kind, raw)
    if row.get("trial_protocol"):
        facts["clinical_trial"] = True
    return facts


def _range(raw: Any, span: int | None) -> DateRange:
    first = (raw if isinstance(raw, int) else raw.toordinal() - EPOCH) + EPOCH
    return DateRange(first, min(first + (span or 0), NEVER))


def _value(kind: FactType, raw: Any) -> Value:
    if kind.type == "set":
        words = frozenset(word for word in str(raw).split("\\") if word)
        return Members(words, words)
    return read_value(kind, raw)


def bounds(known: Mapping[str, Any] | None, facts: dict[str, Value], as_of: int) -> None:
    """Add what the inventory knows of the patient: the last study, and a next mammogram at the same site."""
    if known is None:
        return
    facts["patient_last_study"] = DateRange(known["last_first"], known["last_last"])
    study = facts.get("study_date")
    if known["next_by"] is not None and isinstance(study, DateRange):
        facts["next_mammogram_date"] = DateRange(study.earliest, known["next_by"])


def consulted(knowledge: KnowledgeBase, site: Site, holds: Iterable[Hold]) -> frozenset[str]:
    """Return the facts that law, policies or holds of a site ask about: other facts cannot change a decision."""
    asked = {
        "study_date",
        "record",
        "modality",
        "copy",
        "copies_left",
        "deceased",
        "death_date",
        "birth_date",
        "duties_done",
    }
    for code in sorted({code for keeper in site.keepers for code in _codes(keeper)}):
        for norm, _ in norm_set(knowledge, code).norms:
            conditions = [*norm.scope.conditions(), *(c for v in norm.versions for c in v.scope.conditions())]
            asked |= {fact for condition in conditions for fact in facts_in(condition)}
            asked |= {facts_of(line.event) for v in norm.versions if v.period is not None for line in lines(v.period)}
    asked |= {fact for hold in holds for condition in hold.scope.conditions() for fact in facts_in(condition)}
    if asked & set(knowledge.vocabulary.facts) - {"study_date"}:
        asked |= {"inpatient", "discharge_date", "patient_last_study", "last_service_date", "last_entry_date"}
    return frozenset(asked)


def _codes(keeper: Mapping[str, Value]) -> tuple[str, ...]:
    value = keeper.get("jurisdiction")
    return tuple(value.must) if isinstance(value, Members) else ()
