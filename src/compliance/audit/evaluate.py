"""Decide every study of an inventory: batch in, verdicts out.

Studies that agree in every fact that law, policies or holds ask about share one decision; a verdict keeps what findings
and summaries need, the full explanation is computed again for what is shown.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Any, NamedTuple

import pyarrow as pa

from compliance.audit import facts as factual
from compliance.audit.profile import Profile, Site
from compliance.decision.decide import Decision, decide
from compliance.decision.holds import Hold
from compliance.decision.missing import missing_facts
from compliance.decision.question import Question
from compliance.law.conditions import NO, Listed
from compliance.law.dates import DateRange
from compliance.law.vocabulary import Value


class PartVerdict(NamedTuple):
    """One record class: disposition, ceiling, governing norm."""

    record: str
    disposition: str
    destroy_by: int | None
    governing: str


class Verdict(NamedTuple):
    """What findings and summaries need of a decision."""

    disposition: str
    retain: DateRange
    binding: DateRange
    permanent: bool
    destroy_by: int | None
    ready: bool
    governing: str
    parts: tuple[PartVerdict, ...]
    missing: tuple[str, ...]
    holds: tuple[str, ...]
    open_duties: tuple[str, ...]
    lossy_binding: DateRange | None
    max_ratio: float | None
    assumed: tuple[tuple[str, str], ...]
    applied: tuple[str, ...]
    jurisdictions: tuple[str, ...]
    problems: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Judged:
    """A study with its site and verdict; without a site there is no verdict. `wrong` tells of unreadable columns."""

    row: Mapping[str, Any]
    site: Site | None
    verdict: Verdict | None = None
    question: Question | None = None
    wrong: tuple[str, ...] = ()


@dataclass
class Evaluator:
    """Evaluates record batches under one profile on one day."""

    profile: Profile
    as_of: date
    column_names: list[str]
    known: Mapping[int, Mapping[str, Any]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        profile = self.profile
        self.columns = factual.columns_of(profile.knowledge.vocabulary, self.column_names)
        self.asked = {
            site.id: factual.consulted(profile.knowledge, site, profile.assumptions) for site in profile.sites
        }
        self.verdicts: dict[Any, Verdict] = {}
        self.sites: dict[Any, Site | None] = {}
        self.matched = sorted({column for site in self.profile.sites for column in site.match})
        self.held: set[str] = set()

    def evaluate(self, batch: pa.RecordBatch) -> Iterator[Judged]:
        """Yield every study of the batch with its verdict, in order."""
        for row in _plain_dates(batch).to_pylist():
            site = self.site_of(row)
            if site is None:
                yield Judged(row, None)
                continue
            question, wrong = self.question(row, site)
            yield Judged(row, site, self.verdict(question, site), question, wrong)

    def site_of(self, row: Mapping[str, Any]) -> Site | None:
        """Return the site of a row, looked up once for each combination of the columns that sites match on."""
        key = tuple(row.get(column) for column in self.matched)
        if key not in self.sites:
            self.sites[key] = self.profile.site_of(row)
        return self.sites[key]

    def question(self, row: Mapping[str, Any], site: Site) -> tuple[Question, tuple[str, ...]]:
        """Return what is asked about a row, and which of its columns cannot be read."""
        facts, wrong = factual.facts_of_row(row, self.columns, site)
        factual.bounds(self.known.get(row["row"]), facts)
        return Question(facts, tuple(dict(keeper) for keeper in site.keepers)), wrong

    def verdict(self, question: Question, site: Site) -> Verdict:
        """Return the verdict, decided once for each combination of facts that matter."""
        holds = self.possible_holds(question.facts)
        asked = self.asked[site.id].union(*(factual.scope_facts(hold.scope) for hold in holds))
        key = (
            site.id,
            tuple(hold.id for hold in holds),
            *(item for item in question.facts.items() if item[0] in asked),
        )
        found = self.verdicts.get(key)
        if found is None:
            found = self.verdicts[key] = summarize(self.decide(question, holds))
        self.held.update(found.holds)
        return found

    def decide(self, question: Question, holds: tuple[Hold, ...] | None = None) -> Decision:
        """Return the full decision of a question, for what is shown."""
        chosen = self.possible_holds(question.facts) if holds is None else holds
        return decide(question, self.profile.knowledge, self.as_of, self.profile.assumptions, chosen)

    def possible_holds(self, facts: Mapping[str, Value]) -> tuple[Hold, ...]:
        """Leave out the holds that name another study, patient, device or site: a quick look at texts."""
        return tuple(hold for hold in self.profile.holds if _may_concern(hold, facts))


def _may_concern(hold: Hold, facts: Mapping[str, Value]) -> bool:
    conjunctions = hold.scope.any_of or ((),)
    return any(all(_text_may_match(c, facts) for c in conjunction) for conjunction in conjunctions)


def _text_may_match(condition: Any, facts: Mapping[str, Value]) -> bool:
    value = facts.get(getattr(condition, "fact", ""))
    return not (isinstance(condition, Listed) and isinstance(value, str) and value not in condition.reach)


def _plain_dates(batch: pa.RecordBatch) -> pa.RecordBatch:
    """Date columns as day numbers: a date object a cell would cost more than the decision."""
    columns = [column.cast(pa.int32()) if pa.types.is_date32(column.type) else column for column in batch.columns]
    return pa.RecordBatch.from_arrays(columns, names=batch.schema.names)


def summarize(decision: Decision) -> Verdict:
    """Return what findings and summaries need of a decision."""
    parts = tuple(
        PartVerdict(part.result.record or "unknown", part.disposition, part.result.destroy_by, part.governing or "")
        for part in decision.parts
    )
    applied = tuple(
        sorted(
            name for name, seen in decision.norms.items() if seen.looked.applies != NO and not seen.looked.norm.is_gap
        )
    )
    return Verdict(
        disposition=decision.disposition, retain=decision.retain, binding=decision.binding, permanent=decision.permanent,
        destroy_by=decision.destroy_by, ready=decision.ready, governing=decision.governing[0] if decision.governing else "",
        parts=parts, missing=missing_facts(decision) if decision.disposition == "undetermined" else (),
        holds=tuple(hold.id for hold in decision.holds), open_duties=tuple(duty.norm.id for duty in decision.duties if duty.blocks),
        lossy_binding=decision.lossy.binding, max_ratio=decision.lossy.max_ratio,
        assumed=tuple((a.fact, a.set) for a in decision.assumed), applied=applied,
        jurisdictions=tuple(sorted({keeper.code for keeper in decision.keepers if keeper.code})),
        problems=tuple(f"{p.fact}: {p.message}" for p in decision.problems),
    )  # fmt: skip
