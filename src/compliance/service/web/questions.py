"""The questions that every place is asked, so that places can be compared: a study made on the day of the question."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from functools import cached_property
from typing import Any

from compliance.decision.assume import choose
from compliance.decision.decide import Decision, decide
from compliance.law.dates import LAST, write_day
from compliance.law.knowledge import KnowledgeBase
from compliance.law.statutes import Norm
from compliance.service.web.grounds import BY_GUIDANCE, answer_lines, by_guidance
from compliance.service.web.words import range_words, years_between

KEEPERS = {"hospital": "hospital", "physician_practice": "physician's practice", "imaging_center": "imaging centre"}


@dataclass(frozen=True)
class Question:
    """A study made today: its name in addresses, its title, what is given, the patient's age."""

    name: str
    title: str
    short: str
    modality: str
    age: int


QUESTIONS = {
    one.name: one
    for one in (
        Question("adult-ct", "An adult's CT", "adult's CT", "CT", 50),
        Question("child-ct", "A child's CT (five years old)", "child's CT", "CT", 5),
        Question("mammogram", "A mammogram", "mammogram", "MG", 50),
    )
}
BINS = ((5, "up to 5 years"), (7, "over 5, up to 7"), (10, "over 7, up to 10"), (15, "over 10, up to 15"),
        (20, "over 15, up to 20"), (30, "over 20, up to 30"), (10_000, "over 30 years, or for ever"))  # fmt: skip


@dataclass(frozen=True)
class Answer:
    """What a place asks for: in words, as a class of the map's key, and the norms that govern."""

    place: str
    question: Question
    keeper: str
    text: str
    css: str
    through: str
    why: str
    norms: tuple[Norm, ...]
    decision: Decision

    @property
    def settled(self) -> bool:
        """A last day can be given."""
        return self.css.startswith("y")


def given(question: Question, keeper: str, place: str, as_of: date) -> dict[str, Any]:
    """Return the facts of a question: one visit on the day of the study, a private keeper."""
    day = as_of.isoformat()
    born = as_of.replace(year=as_of.year - question.age, day=min(as_of.day, 28))
    return {
        "jurisdiction": place, "facility_type": keeper, "ownership": "private", "record": "image",
        "modality": question.modality, "birth_date": born.isoformat(), "study_date": day, "discharge_date": day,
        "last_service_date": day,
    }  # fmt: skip


class Answers:
    """Answers of a law base on a day; each is worked out once."""

    def __init__(self, base: KnowledgeBase, as_of: date) -> None:
        self.base, self.as_of = base, as_of
        self._found: dict[tuple[str, str, str], Answer] = {}

    @cached_property
    def assumptions(self) -> Any:
        """The `practical` set."""
        return choose("practical", self.base.vocabulary)

    def of(self, place: str, question: str, keeper: str = "hospital") -> Answer:
        """Return the answer of a place to a question."""
        key = (place, question, keeper)
        if key not in self._found:
            self._found[key] = self._answer(place, QUESTIONS[question], keeper)
        return self._found[key]

    def _answer(self, place: str, question: Question, keeper: str) -> Answer:
        decision = decide(given(question, keeper, place, self.as_of), self.base, self.as_of, self.assumptions)
        norms = tuple(
            decision.norms[name].looked.norm
            for name in decision.governing
            if not decision.norms[name].looked.norm.is_gap
        )
        start = self.as_of.toordinal()
        text, css = range_words(decision.retain, start, decision.permanent), css_class(decision, start)
        through = write_day(decision.retain.latest) if decision.retain.latest < LAST else ""
        why = "" if decision.retain.exact else answer_lines(decision)[0]
        if by_guidance(decision):
            text, why = f"{years_between(start, decision.retain.latest)}, {BY_GUIDANCE}", ""
        inside = self.base.jurisdictions.below(place)
        if inside and not css.startswith("y"):
            text, css = self._inside(inside, question, keeper)
            norms, why = (), ""
        return Answer(place, question, keeper, text, css, through, why, norms, decision)

    def _inside(self, inside: tuple[str, ...], question: Question, keeper: str) -> tuple[str, str]:
        """Say of a country with states that it depends on the state."""
        settled = [found for code in inside if (found := self.of(code, question.name, keeper)).settled]
        if not settled:
            return f"differs by place; none of the {len(inside)} places inside is settled yet", "none"
        ends = sorted((found.decision.retain.latest, found.text) for found in settled)
        low, high = ends[0][1].split(",")[0], ends[-1][1].split(",")[0]
        span = low if low == high else f"{low} up to {high}"
        return f"differs by place: {span} in {len(settled)} of {len(inside)} places", "mixed"


def css_class(decision: Decision, start: int) -> str:
    """Return the class of the map's key: y1 to y7, `open` (no end), `none` (nothing can be said)."""
    if decision.permanent:
        return f"y{len(BINS)}"
    retain = decision.retain
    if retain.latest >= LAST:
        return "open" if start < retain.earliest <= LAST else "none"
    years = (retain.latest - start) / 365.2425
    return next(f"y{number}" for number, (most, _) in enumerate(BINS, 1) if years <= most + 0.01)


def key() -> Mapping[str, str]:
    """Return the key of the maps: class to words."""
    return {
        **{f"y{number}": words for number, (_, words) in enumerate(BINS, 1)},
        "open": "at least some years, no end can be given",
        "mixed": "differs by state or province",
        "none": "nothing can be said yet: not researched, or no number found",
        "off": "not on file",
    }
