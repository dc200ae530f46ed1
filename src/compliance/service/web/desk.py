"""The law desk: a law file as edited, checked against the base around it, its cases run, its effect on common questions."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path

from compliance.decision.cases import run
from compliance.errors import LawError, Problem
from compliance.law.knowledge import KnowledgeBase, circles, load
from compliance.law.lint import lint
from compliance.law.shape import Reader
from compliance.law.statutes import build, shape
from compliance.law.template import template
from compliance.law.yaml import read_text
from compliance.service.problems import of_error
from compliance.service.web.questions import KEEPERS, QUESTIONS, Answer, Answers


@dataclass(frozen=True)
class Change:
    """A common question whose answer the edited file changes."""

    before: Answer
    after: Answer

    @property
    def direction(self) -> str:
        """Which way the purge date moves."""
        old, new = self.before.decision.retain.latest, self.after.decision.retain.latest
        return "same day, other grounds" if old == new else "LATER" if new > old else "EARLIER"


@dataclass(frozen=True)
class Checked:
    """What the check of an edited file found; `changes` is None where it cannot be read."""

    problems: tuple[Problem, ...]
    norms: int = 0
    cases: int = 0
    changes: tuple[Change, ...] | None = None

    @property
    def failed(self) -> bool:
        """Some problem is an error."""
        return any(problem.level == "error" for problem in self.problems)


def checked(text: str, name: str, base: KnowledgeBase, today: date) -> Checked:
    """Check the text of a law file (`name` is its id, new or on file) within a base."""
    edited, problems = _with(text, name, base)
    if edited is None:
        return Checked(tuple(sorted(problems)))
    statute = edited.statute(name)
    problems += circles(edited)
    problems += lint(edited, [name], today.toordinal())
    problems += run(statute, edited)
    return Checked(
        tuple(sorted(set(problems))),
        len(statute.norms),
        len(statute.cases),
        _changes(base, edited, statute.jurisdiction, today),
    )


def need_sound(text: str, name: str, folder: Path, today: date) -> None:
    """Raise Refusal unless a law file is in order among the files that lie beside it now."""
    try:
        found = checked(text, name, load(folder), today)
    except LawError as error:
        raise of_error(error, "conflict") from None
    if wrong := [one for one in found.problems if one.level == "error"]:
        raise of_error(LawError("The law file is not in order", wrong), "invalid")


def _with(text: str, name: str, base: KnowledgeBase) -> tuple[KnowledgeBase | None, list[Problem]]:
    """Return the base with one file changed, or the problems of reading it."""
    file = f"{name}.yaml"
    try:
        node = read_text(text, file)
    except LawError as error:
        return None, list(error.problems) or [Problem(file, 0, 0, "", str(error))]
    reader = Reader(file)
    tree = shape(base.vocabulary).read(node, reader)
    if tree is None or any(problem.level == "error" for problem in reader.problems):
        return None, list(reader.problems)
    statute = build(tree, name)
    if statute.jurisdiction not in base.jurisdictions.places:
        return None, [Problem(file, 1, 1, "jurisdiction", f"no place {statute.jurisdiction!r} on file")]
    files = {**base.files, name: node}
    return replace(base, files=files, built={**base.built, name: statute}, cache={}, digest=""), list(reader.problems)


def _changes(base: KnowledgeBase, edited: KnowledgeBase, place: str, today: date) -> tuple[Change, ...]:
    old, new = Answers(base, today), Answers(edited, today)
    pairs = [
        Change(old.of(place, question, keeper), new.of(place, question, keeper))
        for question in QUESTIONS
        for keeper in KEEPERS
    ]
    return tuple(one for one in pairs if _said(one.before) != _said(one.after))


def _said(answer: Answer) -> tuple[object, ...]:
    return answer.text, answer.decision.disposition, answer.decision.governing, answer.decision.retain


def is_name(name: str) -> bool:
    """A law file may have this id."""
    return re.fullmatch(r"[A-Z]{2}(-[A-Z0-9]{1,3})?/[a-z0-9._-]{1,100}", name) is not None


def authors(base: KnowledgeBase, name: str) -> frozenset[str]:
    """Return who is named as having seen the text of a law file; a second person is none of them."""
    if name not in base.files:
        return frozenset()
    return frozenset(norm.verification.by for norm in base.statute(name).norms if norm.verification.by)


def blank(name: str, today: date) -> str:
    """Return the commented template of a new law file."""
    place = name.partition("/")[0] if is_name(name) else "XX"
    return template(place, "citation, as a lawyer would write it", today)
