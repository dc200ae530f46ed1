"""Invented statutes and studies for the properties: every feature of the format, in combinations nobody would write.

A study is drawn as a truth (every fact exact) with a ladder of blurrings for each fact, each holding the one before: a
day becomes a range, a wider range, unknown; a type of keeper becomes the wider type or a list of possible ones.
"""

from __future__ import annotations

import json
import tempfile
from collections.abc import Iterator
from datetime import date, timedelta
from functools import lru_cache
from pathlib import Path
from typing import Any

from hypothesis import strategies as st

from compliance.decision.holds import Hold
from compliance.law.knowledge import KnowledgeBase
from compliance.law.scopes import ScopeShape
from compliance.law.shape import Reader
from compliance.law.yaml import Node, read_text
from desk import TODAY, base

PLACES = ["XA", "XA-N", "XA-S", "XB", "XC"]


@lru_cache(maxsize=1)
def frame() -> KnowledgeBase:
    """Vocabulary and places without law."""
    with tempfile.TemporaryDirectory() as folder:
        return base(Path(folder))


def build(statutes: dict[str, list[dict[str, Any]]]) -> KnowledgeBase:
    """Make a base in memory: norms by place, each place one file `act`."""
    files = {}
    for place, norms in statutes.items():
        tree = {"jurisdiction": place, "title": "Act", "citation": "Act", "force": "binding", "norms": norms}
        files[f"{place}/act"] = read_text(json.dumps(tree), place)
    return KnowledgeBase(frame().vocabulary, frame().jurisdictions, files)


# -- statutes

_days = st.dates(date(2004, 1, 1), date(2027, 12, 31)).map(date.isoformat) | st.sampled_from(["2016-02-29", "2026-11-24", "2015-03-31"])
_events = st.sampled_from([
    *["study_date"] * 8, "discharge_date", "last_service_date", "last_discharge_date", "age of majority", "age 2", "age 18", "age 21", "death_date",
    "next_mammogram_date", "end of year of study_date", "end of month of last_entry_date", "end of year of age 18", "age 25 of child",
])
_lines = st.builds("{} {}s after {}".format, st.sampled_from([1, 2, 3, 7, 10, 25]), st.sampled_from(["day", "month", "year", "year"]), _events) | _events.map("until {}".format)
_members = st.lists(_lines | st.sampled_from(["permanent", "unknown"]), min_size=2, max_size=3)
periods = st.one_of(
    _lines, _lines, _lines, _lines, _lines, _lines, st.sampled_from(["permanent", "unknown", "none"]),
    st.builds(lambda how, some: {how: some}, st.sampled_from(["latest", "earliest"]), _members),
    st.builds(lambda line, some: {"latest": [line, {"earliest": some}]}, _lines, _members),
)


def _some(*words: str) -> st.SearchStrategy[Any]:
    listed = st.lists(st.sampled_from(words), min_size=1, max_size=2, unique=True)
    return listed | listed.map(lambda few: {"not": few})


_ages = st.builds(lambda how, n, at: {how: n, "at": at}, st.sampled_from(["under", "from"]), st.sampled_from(["2", "18", "majority"]),
                  st.sampled_from(["study_date", "death_date", "last_service_date"]))
_dates = st.one_of(
    st.sampled_from(["never", "happened", {"not": "never"}]), _days.map(lambda day: f"{day}/.."), _days.map(lambda day: f"../{day}"),
    st.builds(lambda how, line: {how: line}, st.sampled_from(["before", "from"]), _lines),
)
_conditions = {
    "facility_type": _some("hospital", "critical_access_hospital", "clinic"), "ownership": _some("federal", "private"),
    "record": _some("image", "report"), "modality": _some("CT", "MR", "SR", "KO"), "body_part": _some("BREAST", "HEAD"),
    "payer": _some("medicare", "self"), "copy": _some("original", "derived", "duplicate", "deidentified"), "special_class": _some("cancer"),
    "inpatient": st.sampled_from(["true", "false"]), "deceased": st.sampled_from(["true", "false"]), "age": _ages,
    "study_date": _dates, "death_date": _dates, "birth_date": _dates, "last_service_date": _dates, "next_mammogram_date": _dates,
}
_mapping = st.lists(st.sampled_from(sorted(_conditions)), min_size=1, max_size=2, unique=True).flatmap(lambda names: st.fixed_dictionaries({name: _conditions[name] for name in names}))
scopes = st.none() | _mapping | _mapping | _mapping | st.lists(_mapping, min_size=2, max_size=2)
_since = st.sampled_from([*["2000-01-01"] * 12, "2016-01-01", "2026-11-24", "2026-11-25", "2026", "2030-01-01", "../1990-01-01", "../2026-12-31"])


@st.composite
def _version(draw: Any, kind: str) -> dict[str, Any]:
    scope = draw(scopes) if draw(st.integers(0, 3)) == 0 else None
    one: dict[str, Any] = {"from": draw(_since), **({"scope": scope} if scope else {})}
    if draw(st.integers(0, 19)) == 0:
        return {**one, "repealed": "true"}
    if kind == "duty":
        return {**one, "duty": draw(st.sampled_from(["notify", "log", "keep", "certificate"])), "lead": draw(st.sampled_from(["1 day", "2 months"]))}
    period = draw(periods | st.sampled_from(["1 day after retention_end", "1 year after retention_end"])) if kind == "ceiling" else draw(periods)
    return {**one, "period": period, **({"max_ratio": draw(st.sampled_from(["3", "10"]))} if kind == "lossy" else {})}


@st.composite
def norms(draw: Any, name: str, before: list[tuple[str, str]], kind: str = "") -> dict[str, Any]:
    """One norm; it may override those drawn before it."""
    kind = kind or draw(st.sampled_from(["floor"] * 7 + ["ceiling"] * 3 + ["lossy", "duty"]))
    scope = draw(scopes)
    rivals = [full for full, other in before if other == kind]
    found: dict[str, Any] = {"id": name, "kind": kind, "citation": "§", "says": "invented", **({"scope": scope} if scope else {})}
    if rivals and draw(st.booleans()):
        found["overrides"] = draw(st.lists(st.sampled_from(rivals), min_size=1, max_size=2, unique=True))
    if draw(st.integers(0, 3)) == 0:
        found["yields"] = "within"
    found["force"] = draw(st.sampled_from(["binding"] * 10 + ["guidance", "policy", "contract"]))
    found["versions"] = draw(st.lists(_version(kind), min_size=1, max_size=draw(st.sampled_from([1, 1, 2, 3]))))
    found["verification"] = {"status": draw(st.sampled_from(["verified"] * 4 + ["secondary", "unverified"]))}
    return found


@st.composite
def statutes(draw: Any) -> dict[str, list[dict[str, Any]]]:
    """One to five norms over the places, the general one mostly plain so that studies are covered."""
    found: dict[str, list[dict[str, Any]]] = {}
    before: list[tuple[str, str]] = []
    if draw(st.integers(0, 7)):
        plain = {"id": "plain", "kind": "floor", "citation": "§", "says": "plain", "yields": "within", "versions": [{"from": "2000-01-01", "period": draw(periods)}], "verification": {"status": "verified"}}
        found["XA"] = [plain]
        before.append(("XA/act#plain", "floor"))
    for number in range(draw(st.integers(1, 5))):
        place = draw(st.sampled_from(["XA", "XA", "XA-N", "XA-N", "XA-S", "XB", "XC"]))
        one = draw(norms(f"n{number}", before))
        found.setdefault(place, []).append(one)
        before.append((f"{place}/act#n{number}", one["kind"]))
    return found


# -- studies

_AGO = date(2002, 1, 1)


def _ladder(draw: Any, day: date) -> list[Any]:
    """A day, a range around it, a wider one (perhaps open, perhaps `never` included), unknown, absent."""
    low, high = (timedelta(draw(st.integers(0, 800))) for _ in range(2))
    near = f"{day - low}/{day + high}"
    wide = draw(st.sampled_from([f"../{day + high}", f"{day - low}/..", f"{day - low * 2}/{day + high * 2}", f"{day - low}/never", "../.."]))
    return [day.isoformat(), near, wide, "unknown"]


def _event(draw: Any, day: date) -> list[Any]:
    if draw(st.integers(0, 2)):
        return _ladder(draw, day)
    return ["never", f"{day}/never", "unknown", None]


@st.composite
def studies(draw: Any) -> dict[str, list[Any]]:
    """For each fact the truth first, then ever vaguer words for it."""
    day = draw(st.dates(_AGO, TODAY) | st.sampled_from([date(2012, 2, 29), date(2016, 3, 31)]))
    later = st.dates(day, TODAY)
    born = draw(st.dates(date(1940, 1, 1), day) | st.sampled_from([date(1996, 2, 29), date(2000, 2, 29)]))
    born = min(born, day)
    death = _event(draw, draw(st.dates(max(born, _AGO), TODAY)))
    facility = draw(st.sampled_from([["critical_access_hospital", "hospital"], ["hospital"], ["clinic", {"not": ["dental"]}]]))
    modality = draw(st.lists(st.sampled_from(["CT", "MR", "SR", "KO"]), min_size=1, max_size=3, unique=True))
    body = draw(st.lists(st.sampled_from(["BREAST", "HEAD"]), min_size=1, max_size=2, unique=True))
    place = draw(st.sampled_from([["XA-N", "XA"]] * 5 + [["XA-S", "XA"], ["XA"], ["XB"], ["XC"]]))
    copy = draw(st.sampled_from(["original"] * 8 + ["duplicate", "derived", "deidentified", "backup"]))
    others = [word for word in ("received", "derived", "duplicate") if word != copy]
    found = {
        "jurisdiction": [*place, None], "facility_type": [*facility, None], "record": [draw(st.sampled_from(["image", "report", ["image", "report"]]))],
        "ownership": [draw(st.sampled_from(["federal", "private"])), {"not": ["public"]}, None],
        "modality": [modality, {"not": ["US"]}, None], "body_part": [body, None],
        "payer": [draw(st.lists(st.sampled_from(["medicare", "self"]), unique=True)), {"not": ["medicaid"]}, "unknown"],
        "special_class": [draw(st.lists(st.just("cancer"), max_size=1)), None],
        "copy": [copy, {"not": others[:1]}, "unknown"], "copies_left": [draw(st.sampled_from(["some", "none"])), None],
        "inpatient": [draw(st.booleans()), None], "study_date": _ladder(draw, day), "birth_date": _ladder(draw, born),
        "discharge_date": _event(draw, draw(later)), "last_service_date": _ladder(draw, draw(later)), "last_entry_date": _ladder(draw, draw(later)),
        "last_discharge_date": _ladder(draw, draw(later)), "next_mammogram_date": _event(draw, draw(later)), "child_birth_date": _event(draw, draw(later)),
        "death_date": death, "patient_key": ["p-1", None],
        "duties_done": [{f"{at}/act#n{n}": draw(later).isoformat() for at in ("XA", "XA-N") for n in range(3)}, {"XA/act#n0": "unknown"}, None],
    }
    if draw(st.booleans()):
        found["deceased"] = [death[0] != "never", None]
    return found


@st.composite
def rungs(draw: Any, study: dict[str, list[Any]]) -> tuple[dict[str, Any], dict[str, Any]]:
    """Two readings of one study, the second vaguer in several facts."""
    start = {name: draw(st.sampled_from([0, 0, 0, 0, 1])) for name in study}
    step = {name: draw(st.sampled_from([0, 0, 1, 2, 3])) for name in study}
    known = {name: words[min(start[name], len(words) - 1)] for name, words in study.items()}
    vague = {name: words[min(start[name] + step[name], len(words) - 1)] for name, words in study.items()}
    return known, vague


def ladders(study: dict[str, list[Any]]) -> Iterator[list[dict[str, Any]]]:
    """For each fact the study with that fact alone put ever more vaguely, the truth first."""
    truth = {name: words[0] for name, words in study.items()}
    for name, words in study.items():
        if len(words) > 1:
            yield [{**truth, name: word} for word in words]


_HOLDS = [{"patient_key": "p-1"}, {"modality": ["CT"]}, {"study_date": "2010-01-01/.."}, {"facility_type": ["critical_access_hospital"]}, {"modality": {"not": ["US"]}}]


def holds() -> list[Hold]:
    """A few holds, some of which match."""
    shape = ScopeShape(frame().vocabulary)
    return [Hold(id=f"h{n}", **({"scope": shape.read(Node.wrap(scope), Reader("x"))} if scope else {})) for n, scope in enumerate(_HOLDS)]
