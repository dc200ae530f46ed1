"""Which facts are missing, and what each of them would change."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from datetime import date
from typing import NamedTuple

from compliance.decision.assume import AssumptionSet
from compliance.decision.decide import Decision, decide
from compliance.decision.holds import Hold
from compliance.decision.judge import Evidence
from compliance.decision.question import Question
from compliance.law.conditions import MAYBE, facts_in, known
from compliance.law.dates import NEVER, NEVER_RANGE, DateRange, write_day
from compliance.law.knowledge import KnowledgeBase
from compliance.law.periods import facts_of, lines
from compliance.law.vocabulary import FactType, Members, Value

_OLDEST = date(1850, 1, 1).toordinal()


class Effect(NamedTuple):
    """If the fact were so, the image may be purged from that day (None: still undetermined).

    `varies`: the day depends on the very value; the one given is the latest.
    """

    condition: str
    earliest_purge_date: date | None
    varies: bool = False


class Missing(NamedTuple):
    """A fact that is not known exactly and matters, with what it would change."""

    fact: str
    effect: tuple[Effect, ...] = ()


def missing_facts(decision: Decision) -> tuple[str, ...]:
    """Return the facts that are not known exactly and make the answer a range, in the order of the vocabulary.

    None where the answer is one day, and none where the facts contradict each other.
    """
    if decision.problems or (decision.retain.exact and decision.disposition != "undetermined"):
        return ()
    found = {"jurisdiction"} if any(keeper.code == "" for keeper in decision.keepers) else set[str]()
    for evidence in (evidence for keeper in decision.keepers for evidence in keeper.may_decide):
        if evidence.looked.place == MAYBE:
            found.add("jurisdiction")
        found.update(_doubtful(evidence))
        if evidence.looked.range is not None and not evidence.looked.range.exact:
            found.update(_inexact(evidence))
    return tuple(name for name in decision.vocabulary.facts if name in found)


def _doubtful(evidence: Evidence) -> Iterable[str]:
    looked, facts, _ = evidence
    for condition in looked.norm.conditions():
        if condition.truth(facts) == MAYBE:
            yield from (fact for fact in facts_in(condition) if not known(fact, facts))


def _inexact(evidence: Evidence) -> Iterable[str]:
    looked, facts, _ = evidence
    for version in looked.versions:
        for line in lines(version.period) if version.period is not None else ():
            fact = facts_of(line.event)
            if fact not in ("retention_end", "purge_date") and not facts.day(fact).exact:
                yield fact


def what_would_change(
    decision: Decision, knowledge: KnowledgeBase, assumptions: Sequence[AssumptionSet] = (), holds: Iterable[Hold] = ()
) -> tuple[Missing, ...]:
    """Return the missing facts, each with what every value it can have would make of the purge date."""
    today, kept = date.fromordinal(decision.as_of), tuple(holds)

    def purge_date(fact: str, value: Value) -> date | None:
        question = decision.question
        asked = Question({**question.facts, fact: value}, tuple({**own, fact: value} for own in question.keepers))
        return decide(asked, knowledge, today, assumptions, kept).earliest_purge_date

    found = []
    for fact in missing_facts(decision):
        kind = knowledge.vocabulary.facts[fact]
        effects = _effects(kind, decision, lambda value, fact=fact: purge_date(fact, value))  # type: ignore[misc]
        useful = any(effect.earliest_purge_date != decision.earliest_purge_date for effect in effects)
        found.append(Missing(fact, tuple(effects) if useful else ()))
    return tuple(sorted(found, key=lambda one: not one.effect))


Answer = Callable[[Value], date | None]


def _effects(kind: FactType, decision: Decision, answer: Answer) -> list[Effect]:
    if kind.type == "date":
        return _over_days(kind, decision, answer)
    if kind.type == "boolean":
        return [Effect("true", answer(True)), Effect("false", answer(False))]
    if kind.type == "choice" or (kind.type == "set" and kind.values):
        return _over_values(kind, answer)
    return []


def _over_values(kind: FactType, answer: Answer) -> list[Effect]:
    """Group the values that give the same day."""
    groups: dict[date | None, list[str]] = {}
    for word, member in kind.values.items():
        if not member.follows:
            only = frozenset((word,))
            groups.setdefault(answer(Members(only, only)), []).append(word)
    return [
        Effect(" or ".join(words), day)
        for day, words in sorted(groups.items(), key=lambda item: (item[0] is None, item[0]))
    ]


def _over_days(kind: FactType, decision: Decision, answer: Answer) -> list[Effect]:
    span = decision.keepers[0].situation.day(kind.name)
    first = max(span.earliest, _OLDEST)
    last = min(span.latest, decision.as_of if kind.name != "birth_date" else span.latest)
    effects = _segments(first, last, lambda day: answer(DateRange(day, day))) if first <= last else []
    if span.latest == NEVER:
        effects.append(Effect("never", answer(NEVER_RANGE)))
    return effects


def _segments(first: int, last: int, at: Callable[[int], date | None]) -> list[Effect]:
    """Split the span where the answer stops being that of its first day, and where it becomes that of its last."""
    low, high = at(first), at(last)
    until = _search(first, last, lambda day: at(day) == low)
    if until == last:
        return [Effect("any date", low)]
    start = last - _search(0, last - until - 1, lambda back: at(last - back) == high)
    effects = [Effect(f"<= {write_day(until)}", low)]
    if start == last and start > until + 1:
        return [*effects, Effect(f"> {write_day(until)}", high, varies=True)]
    if start > until + 1:
        between = max((day for day in (at(until + 1), at(start - 1)) if day is not None), default=None)
        effects.append(Effect(f"> {write_day(until)} and < {write_day(start)}", between, varies=True))
    effects.append(Effect(f">= {write_day(start)}" if start > until + 1 else f"> {write_day(until)}", high))
    return effects


def _search(low: int, high: int, holds: Callable[[int], bool]) -> int:
    """Return the last number from `low` (where it holds) up to which it holds."""
    while low < high:
        middle = (low + high + 1) // 2
        if holds(middle):
            low = middle
        else:
            high = middle - 1
    return low
