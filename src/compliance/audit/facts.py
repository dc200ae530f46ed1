"""From an inventory row to the facts that are asked about: typed values, no text in between."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from compliance.archive.inventory import EPOCH
from compliance.audit.profile import Site
from compliance.decision.apply import norm_set
from compliance.decision.assume import AssumptionSet
from compliance.decision.question import codes
from compliance.law.conditions import facts_in
from compliance.law.dates import NEVER, DateRange
from compliance.law.knowledge import KnowledgeBase
from compliance.law.scopes import Scope
from compliance.law.situation import dated
from compliance.law.vocabulary import UNKNOWN, FactType, Members, Value, Vocabulary, read_value

_SKIP = {"row", "sex", "n_series", "n_instances", "bytes", "lossy", "lossy_ratio_max", "deidentified", "trial_protocol",
         "archive_expiry", "received_at", "client", "seen_at", "source", "problems"}  # fmt: skip


def columns_of(vocabulary: Vocabulary, names: Iterable[str]) -> dict[str, FactType]:
    """Return the columns of an inventory that are facts."""
    kinds = {name: vocabulary.type_of(name) for name in names if name not in _SKIP}
    return {name: kind for name, kind in kinds.items() if kind is not None}


def facts_of_row(
    row: Mapping[str, Any], columns: Mapping[str, FactType], site: Site
) -> tuple[dict[str, Value], tuple[str, ...]]:
    """Return the facts of one study, and the columns that hold no value of their fact: those count as unknown.

    De-identified studies: dates count as written unknown unless the profile vouches for them (SEMANTICS 28).
    """
    facts: dict[str, Value] = {"site": site.id}
    wrong = []
    blurred = bool(row.get("deidentified")) and not site.vouch_dates
    for name, kind in columns.items():
        raw = row.get(name)
        if kind.type == "date":
            if blurred and (raw is not None or name in ("study_date", "birth_date")):
                facts[name] = UNKNOWN
            elif raw is not None:
                facts[name] = _range(raw, row.get(f"{name}_span"))
        elif raw is not None and raw != "":
            try:
                facts[name] = _value(kind, raw)
            except ValueError as error:
                facts[name] = UNKNOWN
                wrong.append(f"{name}: {error}")
    if row.get("trial_protocol"):
        facts["clinical_trial"] = True
    return facts, tuple(wrong)


def _range(raw: Any, span: int | None) -> DateRange:
    first = (raw if isinstance(raw, int) else raw.toordinal() - EPOCH) + EPOCH
    return DateRange(first, min(first + (span or 0), NEVER))


def _value(kind: FactType, raw: Any) -> Value:
    if kind.type == "set":
        words = frozenset(word for word in str(raw).split("\\") if word)
        return Members(words, words)
    return read_value(kind, raw)


def bounds(known: Mapping[str, Any] | None, facts: dict[str, Value]) -> None:
    """Add what the inventory knows of the patient: the last study, and a next mammogram at the same site."""
    if known is None:
        return
    facts["patient_last_study"] = DateRange(known["last_first"], known["last_last"])
    study = facts.get("study_date")
    if known["next_by"] is not None and isinstance(study, DateRange):
        facts["next_mammogram_date"] = DateRange(study.earliest, known["next_by"])


ENGINE = frozenset(
    {"record", "modality", "body_part", "copy", "copies_left", "deceased", "duties_done", "facility_type"}
)


def consulted(knowledge: KnowledgeBase, site: Site, assumptions: Iterable[AssumptionSet]) -> frozenset[str]:
    """Return the facts that can change a decision for a site: those that the engine itself, law, policies or assumptions
    ask about, and every date, since dates that contradict each other decide nothing (SEMANTICS 3).
    """
    asked = {*ENGINE, *(kind.name for kind in dated(knowledge.vocabulary))}
    for code in {code for keeper in site.keepers for code in codes(keeper)}:
        for norm, _ in norm_set(knowledge, code).norms:
            asked |= norm.facts()
    for entry in (entry for chosen in assumptions for entry in chosen.entries):
        asked |= {entry.fact, entry.other, *scope_facts(entry.when)}
    return frozenset(asked)


def scope_facts(scope: Scope) -> frozenset[str]:
    """Return the facts a scope asks about."""
    return frozenset(fact for condition in scope.conditions() for fact in facts_in(condition))
