"""Search over the law: a small index of places, common questions and norms; the same in the browser and on the server."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from functools import cached_property

from compliance.law.knowledge import KnowledgeBase
from compliance.service.web.questions import QUESTIONS, Answers
from compliance.service.web.words import seen_words

MOST = 60
ALL = 1000  # added to the score of what holds every word: no other score reaches it


@dataclass(frozen=True)
class Entry:
    """One thing that can be found. `rank` breaks ties: places first, then answers, then norms."""

    url: str
    title: str
    detail: str
    text: str
    rank: int


def folded(text: str) -> str:
    """Return a text without case, accents and the signs of citations, for comparing."""
    plain = unicodedata.normalize("NFKD", text.casefold())
    kept = "".join(sign if sign.isalnum() else " " for sign in plain if not unicodedata.combining(sign))
    return " ".join(kept.split())


class Index:
    """All entries of a law base."""

    def __init__(self, base: KnowledgeBase, answers: Answers) -> None:
        self.base, self.answers = base, answers

    @cached_property
    def entries(self) -> list[Entry]:
        """Every entry, in a fixed order."""
        return [*self._places(), *self._questions(), *self._norms()]

    @cached_property
    def _folded(self) -> list[tuple[Entry, str, str]]:
        """Every entry with its text and title as they are compared."""
        return [(entry, f" {entry.text} ", f" {folded(entry.title)} ") for entry in self.entries]

    def _places(self) -> Iterator[Entry]:
        for code, place in self.base.jurisdictions.places.items():
            number = sum(len(statute.norms) for statute in self.base.statutes(code))
            yield Entry(
                f"places/{code}.html",
                f"{place.name} ({code})",
                f"{number} norms on file",
                folded(f"{place.name} {code} law place"),
                0,
            )

    def _questions(self) -> Iterator[Entry]:
        for code, place in self.base.jurisdictions.places.items():
            for name, question in QUESTIONS.items():
                answer = self.answers.of(code, name)
                words = f"{place.name} {code} {question.title} {question.short} {question.modality} hospital retention minor"
                yield Entry(
                    f"places/{code}.html#{name}",
                    f"{place.name}: {question.short} in a hospital",
                    answer.text,
                    folded(words),
                    1,
                )

    def _norms(self) -> Iterator[Entry]:
        for statute in self.base.statutes():
            place = self.base.jurisdictions.places.get(statute.jurisdiction)
            name = place.name if place else "own policies"
            for norm in statute.norms:
                short = norm.id.partition("#")[2]
                citations = " ".join(version.citation for version in norm.versions)
                words = f"{name} {norm.id} {statute.title} {statute.title_en} {statute.citation} {norm.citation} {citations} {norm.says}"
                detail = f"{name}. {norm.says} [{norm.verification.status}, {seen_words(norm.verification)}]"
                yield Entry(
                    f"laws/{statute.id}.html#{short}", f"{norm.citation} – {statute.title}", detail, folded(words), 2
                )

    def find(self, query: str) -> list[Entry]:
        """Return what holds the words of a query, best first; what lacks one only where nothing holds them all."""
        words = folded(query[:200]).split()
        if not words:
            return []
        hits = [(score, entry) for entry, *texts in self._folded if (score := _score(words, *texts))]
        if any(score >= ALL for score, _ in hits):
            hits = [hit for hit in hits if hit[0] >= ALL]
        return [entry for _, entry in sorted(hits, key=lambda hit: (-hit[0], hit[1].rank, hit[1].title))[:MOST]]

    def data(self) -> list[dict[str, object]]:
        """Return the index as plain values for the browser."""
        return [asdict(entry) for entry in self.entries]


def _score(words: list[str], whole: str, title: str) -> int:
    """Every word (of three and more, all but one) must start a word of the entry; whole words and words of the title count more."""
    held = [word for word in words if f" {word}" in whole]
    if len(words) - len(held) > (1 if len(words) > 2 else 0):
        return 0
    score = ALL if len(held) == len(words) else 0
    for word in held:
        score += 1 + (f" {word} " in whole) + (f" {word}" in title) + 2 * (f" {word} " in title)
    return score + (3 if " ".join(words) in title else 0)
