"""Decide many studies at once: a table of facts in, a table of decisions out.

A pure function of a batch, so that any engine can carry it. It says in columns what `decide` says for one study; a
property test holds the two equal. Rows with a day that no table holds are decided by `decide` itself.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date

import numpy as np
import pyarrow as pa

from compliance.decision import doubts
from compliance.decision.answers import UNDETERMINED, Answers, put
from compliance.decision.assume import AssumptionSet
from compliance.decision.batch import FactTable, Selection, read
from compliance.decision.compile import law
from compliance.decision.decide import decide, kept
from compliance.decision.holds import Hold
from compliance.decision.keeper import judge
from compliance.decision.missing import missing_facts
from compliance.decision.question import Question
from compliance.decision.rows import Rows
from compliance.decision.situations import Filled, fill, situate
from compliance.law.conditions import NO, facts_in
from compliance.law.knowledge import KnowledgeBase
from compliance.law.vocabulary import Members, Value


@dataclass(frozen=True)
class Evaluator:
    """Law, day (an ordinal), assumptions and holds, ready for batches."""

    knowledge: KnowledgeBase
    as_of: int
    assumptions: tuple[AssumptionSet, ...] = ()
    holds: tuple[Hold, ...] = ()

    def decide(self, batch: pa.RecordBatch, keepers: Sequence[Mapping[str, Value]] = ()) -> pa.RecordBatch:
        """Decide every row of a batch of facts; return `answers.DECISIONS`, in order."""
        return self.answers(read(batch, self.knowledge.vocabulary), keepers).table()

    def answers(self, table: FactTable, keepers: Sequence[Mapping[str, Value]] = ()) -> Answers:
        """Decide every row; `keepers` owe a duty for each of them, with facts of their own on top of the row's."""
        found, looked = Answers(table.rows), list[tuple[Selection, Rows]]()
        for keeper in keepers or ({},):
            for rows, where in self._by_place(table.with_facts(keeper, self.as_of), found):
                ready = law(self.knowledge, rows.place, self.as_of)
                found.judged.append((where, judge(rows, ready, self.knowledge)))
                looked.append((where, rows))
        found.settle(self.as_of)
        for where, rows in looked:
            self._doubts(rows, where, found)
        order = self.knowledge.vocabulary.facts
        found.blocking = dict(sorted(found.blocking.items()))
        found.missing = {fact: found.missing[fact] for fact in order if fact in found.missing}
        self._beyond(table, keepers, found)
        return found

    def _by_place(self, table: FactTable, found: Answers) -> Iterator[tuple[Rows, Selection]]:
        """Yield what is known of the rows, jurisdiction by jurisdiction; every code of a row is judged alone."""
        filled = fill(table, self.assumptions, self.as_of)
        for entry, used in filled.used:
            found.mark(found.assumed, (entry.fact, entry.told.set), slice(None), np.broadcast_to(used, (table.rows,)))
        for places, where in _groups(filled, table.rows):
            codes = kept(places, self.knowledge) or [""]
            asked = {
                fact for code in codes for fact in law(self.knowledge, code, self.as_of).asked
            } | self._held_facts()
            rows = situate(filled.take(where, table.rows), self.knowledge.vocabulary, self.as_of, asked)
            found.mark_wrong(where, rows.wrong, rows.beyond)
            self._hold(rows, where, found)
            for code in codes:
                if code:
                    found.mark(found.places, code, where, np.ones(rows.n, np.bool_))
                yield rows.at_place(code, self.knowledge.jurisdictions), where

    def _held_facts(self) -> set[str]:
        return {fact for hold in self.holds for condition in hold.scope.conditions() for fact in facts_in(condition)}

    def _hold(self, rows: Rows, where: Selection, found: Answers) -> None:
        for hold in self.holds:
            if hold.in_force(self.as_of):
                matched = np.broadcast_to(rows.scope(hold.scope) != np.uint8(NO), (rows.n,))
                found.mark(found.holds, hold.id, where, matched)
                found.held[where] |= matched

    def _doubts(self, rows: Rows, where: Selection, found: Answers) -> None:
        """Ask what is missing, of the rows without one answer only."""
        clear = (found.lo[where] == found.hi[where]) & (found.disposition[where] != UNDETERMINED)
        asked = np.flatnonzero(~clear & ~np.broadcast_to(found.wrong, (found.n,))[where])
        if len(asked):
            here = np.arange(found.n)[where][asked]
            missing = doubts.missing(rows.take(asked), law(self.knowledge, rows.place, self.as_of), self.knowledge)
            for fact, mask in missing.items():
                found.mark(found.missing, fact, here, mask)

    def _beyond(self, table: FactTable, keepers: Sequence[Mapping[str, Value]], found: Answers) -> None:
        today = date.fromordinal(self.as_of)
        for row in np.flatnonzero(np.broadcast_to(found.beyond, (table.rows,))):
            question = Question(table.question(int(row)), tuple(dict(keeper) for keeper in keepers))
            decision = decide(question, self.knowledge, today, self.assumptions, self.holds)
            put(found, int(row), decision, missing_facts(decision))


def _groups(filled: Filled, rows: int) -> Iterator[tuple[tuple[str, ...], Selection]]:
    """Yield the places that occur with their rows: a slice where they lie together."""
    places = filled.words.get("jurisdiction")
    if places is None or not rows:
        yield (), slice(0, rows)
        return
    words = [tuple(sorted(v.must)) if isinstance(v, Members) else () for v in places.values]
    if len(places.codes) == 1:
        yield words[places.codes[0]], slice(0, rows)
        return
    codes = places.codes
    starts = np.flatnonzero(np.diff(codes, prepend=-1))
    if len(np.unique(codes[starts])) == len(starts):
        for start, end in zip(starts, [*starts[1:], rows], strict=True):
            yield words[codes[start]], slice(int(start), int(end))
        return
    for code in np.unique(codes):
        yield words[code], np.flatnonzero(codes == code)
