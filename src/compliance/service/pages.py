"""The knowledge base as web pages: a law base and a day in, HTML out; the static site and the live service render alike.

Every page has a path (`places/US-TX.html`) and links to others relatively, so that a folder of them works anywhere.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping
from datetime import date
from functools import cached_property
from pathlib import Path
from typing import Any
from urllib.parse import quote

import jinja2

import compliance
from compliance.law.dates import write_day, write_edtf
from compliance.law.knowledge import KnowledgeBase
from compliance.law.statutes import Norm, Statute
from compliance.report.html import templates
from compliance.service.web import maps, places, timelines, words
from compliance.service.web.questions import BINS, KEEPERS, QUESTIONS, Answers, key
from compliance.service.web.search import Index

STATIC = {"site.css": "text/css", "site.js": "text/javascript", "htmx.min.js": "text/javascript"}
NAV = (("index.html", "Map"), ("places/index.html", "Places"), ("compare.html", "Compare"),
       ("calculator.html", "Calculator"), ("search.html", "Search"))  # fmt: skip
LIVE_NAV = (("audits/index.html", "Audits"), ("holds.html", "Holds"), ("desk.html", "Law desk"))
COMMON_FACTS = ("jurisdiction", "facility_type", "ownership", "record", "modality", "study_date", "birth_date",
                "discharge_date", "last_service_date", "death_date", "payer", "body_part")  # fmt: skip


class Pages:
    """The pages of a law base on a day.

    `folder`: where the law files lie, so that they can be shown and taken away. `live`: served with forms that write.
    `api`: the address of a service that a static site may ask (`https://host`), empty for none.
    """

    def __init__(
        self, base: KnowledgeBase, as_of: date, folder: Path | None = None, live: bool = False, api: str = ""
    ) -> None:
        self.base, self.as_of, self.folder, self.live, self.api = base, as_of, folder, live, api
        self.answers = Answers(base, as_of)
        self.index = Index(base, self.answers)

    def paths(self) -> Iterable[str]:
        """Return the path of every page and file."""
        return list(self._makers)

    def read(self, path: str) -> bytes:
        """Return the content of a page or file; raises KeyError where there is none."""
        return self._makers[path]()

    def type_of(self, path: str) -> str:
        """Return the media type of a page or file."""
        ending = path.rpartition(".")[2]
        kinds = {
            "html": "text/html",
            "css": "text/css",
            "js": "text/javascript",
            "yaml": "text/plain",
            "json": "application/json",
        }
        return f"{kinds[ending]}; charset=utf-8"

    def render(self, template: str, path: str, **values: Any) -> str:
        """Return a page from its template; every value is escaped there."""
        root = "../" * path.count("/")
        return self.environment.get_template(f"web/{template}").render(page=path, root=root, **values)

    @cached_property
    def environment(self) -> jinja2.Environment:
        """The templates with the filters and words they use."""
        made = jinja2.Environment(
            loader=jinja2.FileSystemLoader(templates()), autoescape=True, undefined=jinja2.StrictUndefined,
            trim_blocks=True, lstrip_blocks=True,
        )  # fmt: skip
        vocabulary = self.base.vocabulary
        made.filters.update(
            link=words.link, seen=words.seen_words, day=write_day, edtf=write_edtf, since=words.since_words,
            plain=lambda text: words.plain(str(text), vocabulary), spaced=lambda text: str(text).replace("_", " "),
            grouped=lambda number: f"{number:,}",
            scope=lambda norm: words.scope_words(norm, vocabulary), path=quote,
            version=lambda version: words.version_words(version, vocabulary),
            versions=lambda norm: timelines.versions(norm, self.as_of.toordinal(), vocabulary),
            in_force=lambda version: version.in_force(self.as_of.toordinal()).name.lower(), swatch=maps.swatch,
            stale=lambda norm: places.stale(norm, self.as_of.toordinal()),
        )  # fmt: skip
        made.globals.update(
            nav=NAV + (LIVE_NAV if self.live else ()), law=self.base, as_of=self.as_of.isoformat(), live=self.live,
            api=self.api, program=compliance.__version__, questions=QUESTIONS, keepers=KEEPERS, kinds=words.KINDS,
            statuses=words.STATUSES, marks=words.MARKS, key=key(), bins=BINS, countries=self.countries,
            vocabulary=vocabulary, name_of=self.name_of, csrf="",
        )  # fmt: skip
        return made

    @cached_property
    def countries(self) -> tuple[str, ...]:
        """The countries with a map of their own: several places inside, or outlines at hand."""
        below = self.base.jurisdictions.below
        chosen = [code for code in self.base.jurisdictions.places if code in maps.shapes() or len(below(code)) > 1]
        return tuple(
            sorted((code for code in chosen if code != "EU"), key=lambda code: (-len(below(code)), self.name_of(code)))
        )

    def name_of(self, code: str) -> str:
        """Return the name of a place, the code where it is not on file."""
        place = self.base.jurisdictions.places.get(code)
        return place.name if place else code or "own policies"

    @cached_property
    def _makers(self) -> Mapping[str, Callable[[], bytes]]:
        pages: dict[str, Callable[[], str]] = {}
        for question in QUESTIONS:
            pages[map_path("world", question)] = lambda q=question: self.map_page("world", q)  # type: ignore[misc]
            for country in self.countries:
                pages[map_path(country, question)] = lambda c=country, q=question: self.map_page(c, q)  # type: ignore[misc]
        pages["places/index.html"] = self.places_page
        for code in self.base.jurisdictions.places:
            pages[f"places/{code}.html"] = lambda c=code: self.place_page(c)  # type: ignore[misc]
        files: dict[str, Callable[[], bytes]] = {}
        for statute in self.base.statutes():
            pages[f"laws/{statute.id}.html"] = lambda s=statute: self.law_page(s)  # type: ignore[misc]
            if self.law_text(statute.id) is not None:
                files[f"laws/{statute.id}.yaml"] = lambda s=statute: (self.law_text(s.id) or "").encode()  # type: ignore[misc]
        pages["compare.html"] = self.compare_page
        pages["calculator.html"] = self.calculator_page
        pages["search.html"] = self.search_page
        pages["search-index.js"] = lambda: (
            f"self.lawIndex={json.dumps(self.index.data(), ensure_ascii=True, separators=(',', ':'))};\n"
        )
        for name in STATIC:
            files[f"static/{name}"] = lambda n=name: (templates() / "web" / "static" / n).read_bytes()  # type: ignore[misc]
        return {**{path: _encoded(make) for path, make in pages.items()}, **files}

    def law_text(self, statute_id: str) -> str | None:
        """Return the text of a law file, None where its folder is not known."""
        file = self.folder / f"{statute_id}.yaml" if self.folder else None
        return file.read_text(encoding="utf-8") if file and file.is_file() else None

    # pages -----------------------------------------------------------------------------------------------------------

    def map_page(self, region: str, question: str) -> str:
        """Return the map of the world or of a country for a question, with its table."""
        path = map_path(region, question)
        root = "../" * path.count("/")
        on_file = self.base.jurisdictions.places
        codes = [
            code
            for code in on_file
            if (on_file[code].within == region if region != "world" else not _state(code, on_file))
        ]

        def answer(code: str) -> tuple[str, str]:
            return (
                (found.css, found.text)
                if code in on_file and (found := self.answers.of(code, question))
                else ("off", "not on file")
            )

        def href(code: str) -> str:
            return f"{root}places/{quote(code)}.html" if code in on_file else ""

        where = "the world" if region == "world" else self.name_of(region)
        title = f"{QUESTIONS[question].title} in a hospital: how long it must be kept, {where}"
        rows = sorted((self.answers.of(code, question) for code in codes), key=lambda found: self.name_of(found.place))
        return self.render(
            "map.html", path, region=region, where=where, question=QUESTIONS[question], rows=rows, title=title,
            drawing=maps.drawn(region, answer, href, title, {code: self.name_of(code) for code in codes}), outlines=region in maps.shapes(), summary=_summary(rows), map_path=map_path,
        )  # fmt: skip

    def places_page(self) -> str:
        """Return the list of all places."""
        rows = [(place, places.counts(self.base, code)) for code, place in self.base.jurisdictions.places.items()]
        return self.render("places.html", "places/index.html", rows=sorted(rows, key=lambda row: row[0].name))

    def place_values(self, code: str) -> dict[str, Any]:
        """Return what the page of a place shows."""
        jurisdictions = self.base.jurisdictions
        place = jurisdictions.places[code]
        return {
            "place": place, "majority": places.majority(place), "statutes": list(self.base.statutes(code)),
            "researched": places.researched(self.base, code), "counts": places.counts(self.base, code),
            "answers": [(question, [self.answers.of(code, question.name, keeper) for keeper in KEEPERS]) for question in QUESTIONS.values()],
            "wider": [(name, places.counts(self.base, name)) for name in jurisdictions.lineage(code)[1:]],
            "inside": jurisdictions.below(code), "cases": places.cases,
        }  # fmt: skip

    def place_page(self, code: str) -> str:
        """Return the page of a place; raises KeyError."""
        return self.render("place.html", f"places/{code}.html", **self.place_values(code))

    def law_page(self, statute: Statute) -> str:
        """Return the page of one statute with its file."""
        path = f"laws/{statute.id}.html"
        return self.render("law.html", path, statute=statute, text=self.law_text(statute.id), cases=places.cases)

    def compare_page(
        self, sides: tuple[Mapping[str, Any], ...] = (), problem: str = "", chosen: Mapping[str, str] | None = None
    ) -> str:
        """Return the comparison of two places, each with its day; without sides the form alone."""
        return self.render("compare.html", "compare.html", sides=sides, problem=problem, chosen=chosen or {})

    def calculator_page(
        self,
        answer: Mapping[str, Any] | None = None,
        given: Mapping[str, str] | None = None,
        problems: Iterable[str] = (),
    ) -> str:
        """Return the calculator, with an answer where one was asked for."""
        facts = [
            (name, self.base.vocabulary.facts[name]) for name in COMMON_FACTS if name in self.base.vocabulary.facts
        ]
        others = [(name, fact) for name, fact in self.base.vocabulary.facts.items() if name not in COMMON_FACTS]
        return self.render(
            "calculator.html",
            "calculator.html",
            facts=facts,
            others=others,
            answer=answer,
            given=given or {},
            problems=list(problems),
        )

    def search_page(self, query: str = "", searched: bool = False) -> str:
        """Return the search, with what was found where the server searches."""
        return self.render(
            "search.html", "search.html", query=query, found=self.index.find(query) if searched else None
        )


def map_path(region: str, question: str) -> str:
    """Return the path of a map; the first question on the world is the front page."""
    if region == "world" and question == next(iter(QUESTIONS)):
        return "index.html"
    return f"maps/{region}-{question}.html"


def _encoded(make: Callable[[], str]) -> Callable[[], bytes]:
    return lambda: make().encode()


def _state(code: str, on_file: Mapping[str, Any]) -> bool:
    """A place inside a country, which the map of the world does not show apart."""
    within = on_file[code].within
    return bool(within) and within != "EU"


def _summary(rows: Iterable[Any]) -> str:
    """Say in words what a map shows."""
    found: dict[str, int] = {}
    for row in rows:
        found[row.css] = found.get(row.css, 0) + 1
    return "; ".join(f"{words}: {found[css]}" for css, words in key().items() if found.get(css))


def norm_names(norms: Iterable[Norm]) -> str:
    """Return the citations of norms for a sentence."""
    return "; ".join(norm.citation for norm in norms)
