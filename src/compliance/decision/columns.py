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
from compliance.decision.answers import Answers, days, put
from compliance.decision.assume import AssumptionSet
from compliance.decision.batch import EVERY_ROW, FactTable, Selection, read
from compliance.decision.compile import law
from compliance.decision.decide import decide, kept
from compliance.decision.holds import Hold
from compliance.decision.keeper import earliest, judge
from compliance.decision.luts import Days
from compliance.decision.missing import missing_facts
from compliance.decision.question import Question
from compliance.decision.rows import Rows
from compliance.decision.situations import Filled, fill, situate
from compliance.law.conditions import NO, facts_in
from compliance.law.dates import OPEN
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

    def earliest(self, batch: pa.RecordBatch, keepers: Sequence[Mapping[str, Value]] = ()) -> pa.Array:
        """Return `retain_earliest` of every row alone: the day through which it surely has to be kept."""
        return days(self.early_ends(read(batch, self.knowledge.vocabulary), keepers))

    def early_ends(self, table: FactTable, keepers: Sequence[Mapping[str, Value]] = ()) -> Days:
        """Return the early end of every row; `keepers` as in `answers`."""
        found = Answers(table.rows)
        for keeper in keepers or ({},):
            for rows, where in self._by_place(table.with_facts(keeper, self.as_of), found):
                ends = earliest(rows, law(self.knowledge, rows.place, self.as_of), self.knowledge)
                found.lo[where] = np.maximum(found.lo[where], ends)
        found.lo[np.broadcast_to(found.wrong, (found.n,))] = OPEN
        self._beyond(table, keepers, found)
        return found.lo

    def answers(self, table: FactTable, keepers: Sequence[Mapping[str, Value]] = ()) -> Answers:
        """Decide every row; `keepers` owe a duty for each of them, with facts of their own on top of the row's."""
        found = Answers(table.rows)
        for keeper in keepers or ({},):
            for rows, where in self._by_place(table.with_facts(keeper, self.as_of), found):
                judged, looked = judge(rows, law(self.knowledge, rows.place, self.as_of), self.knowledge)
                found.judged.append((where, judged))
                for name, applies in looked.applied():
                    found.applied.add(name, where, applies)
                for fact, lacking in doubts.missing(looked).items():
                    found.missing.add(fact, where, lacking)
        found.settle(self.as_of)
        self._beyond(table, keepers, found)
        found.missing.sort(self.knowledge.vocabulary.facts)
        found.blocking.sort(sorted(found.blocking))
        return found

    def _by_place(self, table: FactTable, found: Answers) -> Iterator[tuple[Rows, Selection]]:
        """Yield what is known of the rows, jurisdiction by jurisdiction; every code of a row is judged alone."""
        if not table.rows:
            return
        filled = fill(table, self.assumptions, self.as_of)
        for entry, used in filled.used:
            found.assumed.add((entry.fact, entry.told.set), slice(None), used)
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
                    found.places.add(code, where, EVERY_ROW)
                yield rows.at_place(code, self.knowledge.jurisdictions), where

    def _held_facts(self) -> set[str]:
        return {fact for hold in self.holds for condition in hold.scope.conditions() for fact in facts_in(condition)}

    def _hold(self, rows: Rows, where: Selection, found: Answers) -> None:
        for hold in self.holds:
            if hold.in_force(self.as_of):
                matched = np.broadcast_to(rows.scope(hold.scope) != np.uint8(NO), (rows.n,))
                found.holds.add(hold.id, where, matched)
                found.held[where] |= matched

    def _beyond(self, table: FactTable, keepers: Sequence[Mapping[str, Value]], found: Answers) -> None:
        today = date.fromordinal(self.as_of)
        for row in np.flatnonzero(np.broadcast_to(found.beyond, (table.rows,))):
            question = Question(table.question(int(row)), tuple(dict(keeper) for keeper in keepers))
            decision = decide(question, self.knowledge, today, self.assumptions, self.holds)
            put(found, int(row), decision, missing_facts(decision))


def _groups(filled: Filled, rows: int) -> Iterator[tuple[tuple[str, ...], Selection]]:
    """Yield the places that occur with their rows: a slice where they lie together."""
    places = filled.combos.words.coded("jurisdiction")
    codes = filled.combos.by_row(places.codes)
    words = [tuple(sorted(v.must)) if isinstance(v, Members) else () for v in places.values]
    if len(codes) == 1:
        yield words[codes[0]], slice(0, rows)
        return
    starts = np.flatnonzero(np.diff(codes, prepend=-1))
    if len(np.unique(codes[starts])) == len(starts):
        for start, end in zip(starts, [*starts[1:], rows], strict=True):
            yield words[codes[start]], slice(int(start), int(end))
        return
    for code in np.unique(codes):
        yield words[code], np.flatnonzero(codes == code)
