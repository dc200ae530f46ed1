"""decide(facts, knowledge, as_of) -> Decision: from which day may the image go, under which norm, and what comes first.

Pure: no clock, no I/O, no defaults for facts. The Decision holds every norm that was looked at with the situation it was
held against, so that text, Markdown, JSON and HTML only render it (rules 4-8, 16-24 of laws/README.md).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from typing import Any, NamedTuple

from compliance.decision import fold as folding
from compliance.decision.assume import Assumed, AssumptionSet, assume
from compliance.decision.holds import Hold
from compliance.decision.judge import ClassResult, Duty, Evidence, KeeperResult, Lossy, contradicted, judge, stricter
from compliance.decision.plan import book
from compliance.decision.question import Question, ask
from compliance.law.dates import LAST, NEVER, DateRange
from compliance.law.knowledge import KnowledgeBase, place_on_file
from compliance.law.situation import BadData
from compliance.law.vocabulary import Members, Value, Vocabulary

ORDER = ("held", "conflict", "undetermined", "retain", "must_purge", "may_purge")


class Part(NamedTuple):
    """One record class of one keeper under one code, with its disposition."""

    keeper: KeeperResult
    result: ClassResult
    disposition: str

    @property
    def governing(self) -> str | None:
        """The id of the norm with the latest late end."""
        return self.result.fold.governing


class Change(NamedTuple):
    """The next enacted change of a norm that governs."""

    norm: str
    on: int


class Decision(NamedTuple):
    """The answer for one study on one day. Days are ordinals (`law.dates`); None = no day can be given."""

    as_of: int
    disposition: str
    retain: DateRange
    binding: DateRange
    permanent: bool
    destroy_by: int | None
    ready: bool
    lossy: Lossy
    parts: tuple[Part, ...]
    keepers: tuple[KeeperResult, ...]
    duties: tuple[Duty, ...]
    holds: tuple[Hold, ...]
    assumed: tuple[Assumed, ...]
    problems: tuple[BadData, ...]
    next_change: Change | None
    law_version: str
    law_digest: str
    question: Question
    vocabulary: Vocabulary
    notes: tuple[str, ...] = ()

    @property
    def earliest_purge_date(self) -> date | None:
        """The day after the late end, None where there is none."""
        return date.fromordinal(self.retain.latest + 1) if self.retain.latest < LAST else None

    @property
    def open(self) -> bool:
        """A clock that must run has not started."""
        return self.retain.earliest == NEVER and not self.permanent

    @property
    def norms(self) -> dict[str, Evidence]:
        """Every norm that was looked at, as it came out where it weighed most."""
        found: dict[str, Evidence] = {}
        for keeper in self.keepers:
            for name, evidence in keeper.norms.items():
                old = found.get(name)
                if old is None or (evidence.looked.applies, _late(evidence)) > (old.looked.applies, _late(old)):
                    found[name] = evidence
        return found

    @property
    def governing(self) -> tuple[str, ...]:
        """The ids of the norms that govern a part, the one that governs the whole first."""
        return governing(self.parts)


def _late(evidence: Evidence) -> int:
    return evidence.looked.range.latest if evidence.looked.range else 0


def decide(
    facts: Mapping[str, Any] | Question,
    knowledge: KnowledgeBase,
    as_of: date,
    assumptions: Sequence[AssumptionSet] = (),
    holds: Iterable[Hold] = (),
) -> Decision:
    """Decide one study.

    `facts` as in JSON (ISO dates, EDTF, words of the vocabulary) or a Question; own policies and contracts are part of
    the knowledge base (`KnowledgeBase.plus`). Raises FactError where facts cannot be read.
    """
    today = as_of.toordinal()
    question = facts if isinstance(facts, Question) else ask(facts, knowledge.vocabulary)
    used: dict[Assumed, None] = {}
    keepers, notes = list[KeeperResult](), dict[str, None]()
    for own in question.by_keeper():
        filled, assumed = assume(own, assumptions, today)
        used.update(dict.fromkeys(assumed))
        where = _where(filled.get("jurisdiction"), knowledge)
        notes.update(where.notes)
        for code in where.codes:
            keepers.append(judge(knowledge, filled, today, book(knowledge, code)))
    matching = tuple([hold for hold in holds if any(hold.matches(keeper.situation) for keeper in keepers)])
    problems = tuple(dict.fromkeys([problem for keeper in keepers for problem in keeper.problems]))
    parts = [
        Part(keeper, result, disposition(result, today, bool(matching)))
        for keeper in keepers
        for result in (map(contradicted, keeper.classes) if problems else keeper.classes)
    ]
    return _whole(knowledge, question, today, keepers, tuple(parts), matching, problems, tuple(used), tuple(notes))


class Where(NamedTuple):
    """The codes under which a keeper is judged, and what is to be said of those given."""

    codes: list[str]
    notes: dict[str, None]


_NOWHERE = Where([""], {"the keeper's jurisdiction is not known": None})
MOST_PLACES = 1024


def _where(given: Value | None, knowledge: KnowledgeBase) -> Where:
    """Return the codes to judge: one whose descendant is also given is dropped; none known = the unknown place."""
    if not isinstance(given, Members) or not given.must:
        return _NOWHERE
    known: dict[Members, Where] = knowledge.cache.setdefault("where", {})
    found = known.get(given)
    if found is None:
        if len(known) >= MOST_PLACES:
            known.clear()
        codes = sorted(given.must)
        notes = {note: None for code in codes if (note := place_on_file(knowledge, code))}
        found = known[given] = Where(kept(codes, knowledge), notes)
    return found


def kept(given: Sequence[str], knowledge: KnowledgeBase) -> list[str]:
    """Return the codes that are judged: one whose descendant is also given is dropped (rule 5 of laws/README.md)."""
    lineage = knowledge.jurisdictions.lineage
    return [code for code in given if not any(code != other and code in lineage(other) for other in given)]


def disposition(result: ClassResult, as_of: int, held: bool) -> str:
    """Return what to do with one class on a day: the first that holds (rule 21 of laws/README.md)."""
    early, late = result.fold.full
    if held:
        return "held"
    if result.destroy_by is not None and result.destroy_by < as_of <= early:
        return "conflict"
    if as_of <= late and as_of > early:
        return "undetermined"
    if as_of <= early:
        return "retain"
    return "must_purge" if result.destroy_by is not None and as_of > result.destroy_by else "may_purge"


def first_of(dispositions: Iterable[str]) -> str:
    """Return the disposition that comes first of held, conflict, undetermined, retain, must_purge, may_purge."""
    return min(dispositions, key=ORDER.index)


def _whole(
    knowledge: KnowledgeBase,
    question: Question,
    as_of: int,
    keepers: list[KeeperResult],
    parts: tuple[Part, ...],
    holds: tuple[Hold, ...],
    problems: tuple[BadData, ...],
    assumed: tuple[Assumed, ...],
    notes: tuple[str, ...],
) -> Decision:
    whole = folding.latest([part.result.fold for part in parts])
    verdict = first_of(part.disposition for part in parts)
    days = [part.result.destroy_by for part in parts if part.result.destroy_by is not None]
    duties = _duties(parts)
    purgeable = verdict in ("may_purge", "must_purge")
    return Decision(
        as_of=as_of,
        disposition=verdict,
        retain=whole.full,
        binding=whole.binding,
        permanent=whole.permanent,
        destroy_by=min(days, default=None),
        ready=purgeable and not any(duty.blocks for duty in duties),
        lossy=stricter([part.result.lossy for part in parts]),
        parts=parts,
        keepers=tuple(keepers),
        duties=duties,
        holds=holds,
        assumed=assumed,
        problems=problems,
        next_change=next_change(keepers, governing(parts)),
        law_version=knowledge.version,
        law_digest=knowledge.digest,
        question=question,
        vocabulary=knowledge.vocabulary,
        notes=notes,
    )


def _duties(parts: tuple[Part, ...]) -> tuple[Duty, ...]:
    """A duty of several parts is one; two versions that may both govern are two."""
    found: dict[tuple[str, int], Duty] = {}
    for duty in (duty for part in parts for duty in part.result.duties):
        number = next(number for number, version in enumerate(duty.norm.versions) if version is duty.version)
        key = (duty.norm.id, number)
        old = found.get(key)
        found[key] = (
            duty
            if old is None
            else Duty(duty.norm, duty.version, max(old.applies, duty.applies), old.done and duty.done)
        )
    return tuple(found[key] for key in sorted(found))


def governing(parts: Iterable[Part]) -> tuple[str, ...]:
    """Return the ids of the norms that govern a part, the one with the latest end first."""
    ranked = sorted(parts, key=lambda part: -part.result.fold.full.latest)
    return tuple(dict.fromkeys(part.governing for part in ranked if part.governing))


def next_change(keepers: Iterable[KeeperResult], names: Iterable[str]) -> Change | None:
    """Return the next enacted change of the norms that govern (rule 22 of laws/README.md)."""
    changes = {
        Change(name, keeper.plan.changes[name]) for keeper in keepers for name in names if name in keeper.plan.changes
    }
    return min(changes, key=lambda change: (change.on, change.norm), default=None)
