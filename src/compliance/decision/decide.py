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
from compliance.decision.plan import Book, book
from compliance.decision.question import Question, ask
from compliance.law.dates import LAST, NEVER, DateRange, made
from compliance.law.knowledge import KnowledgeBase, place_on_file
from compliance.law.memo import Memo
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
    used: list[Assumed] = []
    notes: dict[str, None] = {}
    problems: dict[BadData, None] = {}
    keepers: list[KeeperResult] = []
    for own in question.by_keeper():
        filled, assumed = assume(own, assumptions, today)
        where = _where(filled.get("jurisdiction"), knowledge)
        used += assumed
        if where.notes:
            notes |= where.notes
        for one in where.books:
            keeper = judge(knowledge, filled, today, one)
            keepers.append(keeper)
            if found := keeper.situation.problems:
                problems |= dict.fromkeys(found)
    matching = [hold for hold in holds if any(hold.matches(keeper.situation) for keeper in keepers)]
    parts: list[Part] = []
    for keeper in keepers:
        for result in map(contradicted, keeper.classes) if problems else keeper.classes:
            parts.append(made(Part, (keeper, result, disposition(result, today, bool(matching)))))
    told = tuple(matching), tuple(dict.fromkeys(used) if question.keepers else used), tuple(problems), tuple(notes)
    return _whole(knowledge, question, today, tuple(keepers), tuple(parts), *told)


class Where(NamedTuple):
    """The codes under which a keeper is judged, each with its plans, and what is to be said of those given."""

    books: tuple[Book, ...]
    notes: dict[str, None]


MOST_PLACES = 1024


def _where(given: Value | None, knowledge: KnowledgeBase) -> Where:
    """Return the codes to judge: one whose descendant is also given is dropped; none known = the unknown place."""
    given = given if isinstance(given, Members) and given.must else None
    known: Memo[Members | None, Where] | None = knowledge.cache.get("where")
    if known is None:
        known = knowledge.cache["where"] = Memo(MOST_PLACES)
    found = known.get(given)
    if found is None:
        codes = sorted(given.must) if given else [""]
        told = [place_on_file(knowledge, code) if code else "the keeper's jurisdiction is not known" for code in codes]
        books = tuple(book(knowledge, code) for code in kept(codes, knowledge))
        found = known[given] = Where(books, dict.fromkeys(filter(None, told)))
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


def first_of(dispositions: Sequence[str]) -> str:
    """Return the disposition that comes first of held, conflict, undetermined, retain, must_purge, may_purge."""
    return dispositions[0] if len(dispositions) == 1 else min(dispositions, key=ORDER.index)


def _whole(
    knowledge: KnowledgeBase,
    question: Question,
    as_of: int,
    keepers: tuple[KeeperResult, ...],
    parts: tuple[Part, ...],
    holds: tuple[Hold, ...],
    assumed: tuple[Assumed, ...],
    problems: tuple[BadData, ...],
    notes: tuple[str, ...],
) -> Decision:
    folds, verdicts, lossy = [], [], []
    last: int | None = None
    for _, result, verdict in parts:
        folds.append(result.fold)
        verdicts.append(verdict)
        lossy.append(result.lossy)
        if result.destroy_by is not None:
            last = result.destroy_by if last is None else min(last, result.destroy_by)
    whole, verdict, duties = folding.latest(folds), first_of(verdicts), _duties(parts)
    ready = verdict in ("may_purge", "must_purge") and not any(duty.blocks for duty in duties)
    change = next_change(keepers, parts)
    law = knowledge.version, knowledge.digest
    return made(
        Decision,
        (
            *(as_of, verdict, whole.full, whole.binding, whole.permanent, last, ready, stricter(lossy)),
            *(parts, keepers, duties, holds, assumed, problems, change, *law, question, knowledge.vocabulary),
            notes,
        ),
    )


def _duties(parts: tuple[Part, ...]) -> tuple[Duty, ...]:
    """A duty of several parts is one; two versions that may both govern are two."""
    found: dict[tuple[str, int], Duty] = {}
    for part in parts:
        for duty in part.result.duties:
            number = next(number for number, version in enumerate(duty.norm.versions) if version is duty.version)
            old = found.get((duty.norm.id, number), duty)
            applies, done = max(old.applies, duty.applies), old.done and duty.done
            found[duty.norm.id, number] = Duty(duty.norm, duty.version, applies, done)
    return tuple([found[key] for key in sorted(found)]) if found else ()


def governing(parts: Sequence[Part]) -> tuple[str, ...]:
    """Return the ids of the norms that govern a part, the one with the latest end first."""
    ranked = sorted(parts, key=lambda part: -part.result.fold.full.latest) if len(parts) > 1 else parts
    return tuple(dict.fromkeys([part.governing for part in ranked if part.governing]))


def next_change(keepers: Iterable[KeeperResult], parts: Sequence[Part]) -> Change | None:
    """Return the next enacted change of the norms that govern (rule 22 of laws/README.md)."""
    changes = [keeper.plan.changes for keeper in keepers if keeper.plan.changes]
    if not changes:
        return None
    found = {Change(name, some[name]) for some in changes for name in governing(parts) if name in some}
    return min(found, key=lambda change: (change.on, change.norm), default=None)
