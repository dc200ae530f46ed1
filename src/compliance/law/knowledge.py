"""The law base: strict load, lineage, gaps, digest; statutes are built place by place when they are asked for."""

from __future__ import annotations

import gc
import re
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import Any, NamedTuple

from compliance.errors import LawError, Problem, UsageError, guess, listed
from compliance.law import compiled
from compliance.law.case import CasesApart, apart
from compliance.law.conditions import Listed, Not
from compliance.law.dates import OPEN, DateRange
from compliance.law.jurisdictions import FILE as PLACES
from compliance.law.jurisdictions import Jurisdictions, places_apart, places_of, read_jurisdictions
from compliance.law.periods import UNKNOWN
from compliance.law.scopes import Scope, listing
from compliance.law.shape import Again, Reader
from compliance.law.sources import digest_of, known_digest, shipped, sources_of
from compliance.law.statutes import Norm, Statute, Verification, Version, build, shape
from compliance.law.vocabulary import Members, Value, Vocabulary, read_vocabulary
from compliance.law.yaml import Node, read_file

EVERYWHERE = ""  # the place of an own policy that names none


@dataclass(eq=False)
class KnowledgeBase:
    """Statutes by place, with the vocabulary and the places they speak of.

    `gaps`: what nobody researched holds images back (rule 15 of laws/README.md); only the cases of law files go without.
    """

    vocabulary: Vocabulary
    jurisdictions: Jurisdictions
    files: Mapping[str, Node]  # statute id -> the file's tree, read strictly before, built on demand
    version: str = "0"
    digest: str = ""
    gaps: bool = True
    cases: Mapping[str, Node] = field(default_factory=dict)  # statute id -> its cases, where they are set apart
    built: dict[str, Statute] = field(default_factory=dict)
    cache: dict[Any, Any] = field(default_factory=dict)  # what rooms above derive from this base, by their own keys

    @cached_property
    def _by_place(self) -> dict[str, list[str]]:
        places: dict[str, list[str]] = {}
        for name in sorted(self.files.keys() | self.built.keys()):
            place = self.built[name].jurisdiction if name in self.built else name.partition("/")[0]
            places.setdefault(place, []).append(name)
        return places

    def statute(self, name: str) -> Statute:
        """Return a statute by id; raises KeyError."""
        if name not in self.built:
            reader = Again(name)
            tree = shape(self.vocabulary).read(self.files[name], reader)
            reader.check(f"{name} cannot be read")
            self.built[name] = build(tree, name, CasesApart(self.cases, name) if name in self.cases else ())
        return self.built[name]

    def statutes(self, place: str | None = None) -> Iterator[Statute]:
        """Yield the statutes of one place, or all, by id."""
        for code in [place] if place is not None else sorted(self._by_place):
            for name in self._by_place.get(code, ()):
                yield self.statute(name)

    def norms(self, place: str) -> tuple[Norm, ...]:
        """Return the norms of a place itself, with its gap."""
        own = tuple(norm for statute in self.statutes(place) for norm in statute.norms)
        gap = self.gap(place) if self.gaps and place in self.jurisdictions.places else None
        return (*own, gap) if gap else own

    @cached_property
    def index(self) -> dict[str, Norm]:
        """Every norm by full id, old ids (`formerly`) included."""
        found: dict[str, Norm] = {}
        for statute in self.statutes():
            for norm in statute.norms:
                short = norm.id.partition("#")[2]
                old_files = [f"{old}#{short}" for old in statute.formerly]
                old_norms = [old if "#" in old else f"{statute.id}#{old}" for old in norm.formerly]
                found.update(dict.fromkeys([*old_files, *old_norms], norm))
        found.update({norm.id: norm for statute in self.statutes() for norm in statute.norms})
        return found

    def gap(self, place: str) -> Norm | None:
        """Return the floor that stands for what nobody researched in a place, None where all types were."""
        types = self.vocabulary.facts["facility_type"].values
        open_types = frozenset(t for t in types if self.jurisdictions.research(place, t, self.vocabulary) is None)
        if not open_types:
            return None
        # A narrower type that was researched is no gap, though the wider one is: nothing is within or around these.
        condition = Listed("facility_type", open_types, open_types, open_types, one=True)
        scope: tuple[Any, ...] = (condition,) if open_types != frozenset(types) else ()
        if self.jurisdictions.places[place].within:
            scope = (*scope, Not(listing("ownership", frozenset({"federal"}), self.vocabulary)))
        name = self.jurisdictions.places[place].name
        return Norm(
            id=f"{place}#gap",
            kind="floor",
            citation=f"{name}: not researched",
            jurisdiction=place,
            force="binding",
            is_gap=True,
            says=f"Nobody has researched yet what {name} asks of this type of keeper.",
            scope=Scope((scope,)) if scope else Scope(),
            versions=(Version(since=DateRange(OPEN, OPEN), period=UNKNOWN),),
            verification=Verification(status="unverified"),
        )

    def nothing_found(self, place: str, facility: Value | None) -> bool:
        """Binding law was looked for and not found at every place of the lineage for every type the keeper may be.

        The cases of law files are judged without gaps: there, what nobody researched does not stand in the way.
        """
        if isinstance(facility, Members) and isinstance(facility.may, frozenset) and facility.may:
            types = set(facility.may).union(*(self.vocabulary.narrower("facility_type", t) for t in facility.may))
        else:
            types = set(self.vocabulary.facts["facility_type"].values)
        lineage = self.jurisdictions.lineage(place)
        looked = [self.jurisdictions.research(code, t, self.vocabulary) for code in lineage for t in types]
        if not self.gaps:
            return all(found is None or found.status == "nothing_found" for found in looked)
        return bool(lineage) and all(found is not None and found.status == "nothing_found" for found in looked)

    def plus(self, statutes: Iterable[Statute]) -> KnowledgeBase:
        """Return this base with an organisation's own policies added."""
        more = {statute.id: statute for statute in statutes}
        return replace(self, built={**self.built, **more}, cache={}) if more else self

    def only(self, names: Iterable[str]) -> KnowledgeBase:
        """Return a base of a few statutes and no gaps, as the cases of a law file are judged."""
        chosen = {name: self.statute(name) for name in names}
        return replace(self, files={}, built=chosen, gaps=False, cache={})


def load(folder: Path | None = None, use_compiled: bool = True) -> KnowledgeBase:
    """Load a law base, from its compiled build where that is fresh; raises LawError with every fault of every file.

    A folder without `facts.yaml` or `jurisdictions.yaml` speaks of the shipped ones.
    """
    folder = folder or shipped()
    if not folder.is_dir():
        raise UsageError(f"{folder} is no folder of law files")
    ready = compiled.read(known_digest(folder)) if use_compiled else None
    if ready is not None:
        vocabulary = read_vocabulary(ready["facts.yaml"], "facts.yaml", Again)
        places = places_apart(ready, vocabulary)
        return KnowledgeBase(
            vocabulary, places, ready.statutes(), ready.version, ready.digest, cases=ready.statutes("cases")
        )
    sources = sources_of(folder)
    digest = digest_of(sources)
    base, problems, trees = read_all(sources, digest)
    if digest_of(sources_of(folder)) != digest:  # a file was changed while it was read: what was read has no digest
        return load(folder, use_compiled)
    errors = [problem for problem in problems if problem.level == "error"]
    if errors or base is None:
        raise LawError(f"{folder} cannot be loaded", errors)
    if use_compiled:
        trees |= places_of(trees[PLACES]) | apart(trees)
        compiled.write(digest, base.version, {name: node.data() for name, node in trees.items()})
    return base


class Reading(NamedTuple):
    """What a strict reading gives: the base (None where vocabulary or places are broken), all faults, every tree."""

    base: KnowledgeBase | None
    problems: list[Problem]
    trees: dict[str, Node]


@contextmanager
def _uncollected() -> Iterator[None]:
    """Trees hold no circles, and looking for some again and again while they grow takes as long as reading them."""
    on = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if on:
            gc.enable()


@_uncollected()
def read_all(sources: Mapping[str, Path], digest: str = "") -> Reading:
    """Read every file strictly."""
    problems: list[Problem] = []
    trees: dict[str, Node] = {}
    for name, path in sources.items():
        if name.endswith(".yaml"):
            try:
                trees[name] = read_file(path, name)
            except LawError as error:
                problems += error.problems or [Problem(name, 0, 0, "", str(error))]
    statutes = {name.removesuffix(".yaml"): node for name, node in trees.items() if "/" in name}
    try:
        base = _assemble(trees, statutes, sources, digest)
    except LawError as error:
        return Reading(None, [*problems, *error.problems], trees)
    except KeyError as error:
        return Reading(None, [*problems, Problem(str(error.args[0]), 0, 0, "", "is missing")], trees)
    for name in list(base.files):
        _read_statute(base, name, problems)
    if not problems:
        problems += circles(base)
    return Reading(base, problems, trees)


def _read_statute(base: KnowledgeBase, name: str, problems: list[Problem]) -> None:
    reader = Reader(f"{name}.yaml")
    tree = shape(base.vocabulary).read(base.files[name], reader)
    if tree is not None and not any(p.level == "error" for p in reader.problems):
        base.built[name] = build(tree, name)
    else:
        base.files = {key: node for key, node in base.files.items() if key != name}
    problems += reader.problems


def _assemble(
    trees: Mapping[str, Node], statutes: Mapping[str, Node], sources: Mapping[str, Path], digest: str
) -> KnowledgeBase:
    vocabulary = read_vocabulary(trees["facts.yaml"], "facts.yaml")
    places = read_jurisdictions(trees[PLACES], PLACES, vocabulary)
    return KnowledgeBase(vocabulary, places, statutes, _version(sources), digest)


def _version(sources: Mapping[str, Path]) -> str:
    if not sources["VERSION"].is_file():
        return "0"
    found = sources["VERSION"].read_text(encoding="utf-8", errors="replace").strip()
    if not re.fullmatch(r"[\w.+-]{1,40}", found, re.ASCII):
        where = Problem("VERSION", 1, 1, "", "is no version. Allowed: letters, digits, dots, such as 2026.12.0")
        raise LawError("VERSION cannot be read", [where])
    return found


def circles(base: KnowledgeBase) -> list[Problem]:
    """Return a fault for every norm that overrides itself through others."""
    problems = []
    for norm in {norm.id: norm for norm in base.index.values()}.values():
        seen, below = set[str](), [*norm.overrides]
        while below:
            name = below.pop()
            target = base.index.get(name)
            if target is norm:
                file, _, short = norm.id.partition("#")
                message = "overrides itself, perhaps through others: break the circle"
                problems.append(Problem(f"{file}.yaml", *_place_of(base, norm), f"{short}.overrides", message))
                break
            if target and target.id not in seen:
                seen.add(target.id)
                below += target.overrides
    return problems


def _place_of(base: KnowledgeBase, norm: Norm) -> tuple[int, int]:
    """Return where the `overrides` of a norm stand in its file, (0, 0) where it has none."""
    name = norm.id.partition("#")[0]
    tree = base.files[name].value if name in base.files else None
    norms = tree["norms"].value if isinstance(tree, dict) else None
    number = [one.id for one in base.statute(name).norms].index(norm.id)
    return norms[number].keys["overrides"] if isinstance(norms, list) else (0, 0)


def place_on_file(base: KnowledgeBase, code: str) -> str:
    """Return what to say of a code that is not on file, empty where it is."""
    if code in base.jurisdictions.places:
        return ""
    country = code.partition("-")[0]
    if country in base.jurisdictions.places:
        parts = listed(base.jurisdictions.below(country)) or "none"
        return f"no law on file for {code!r}, a part of {country}. Parts on file: {parts}"
    places = base.jurisdictions.places
    named = [place for place, entry in places.items() if code.casefold() in (place.casefold(), entry.name.casefold())]
    hint = f" Did you mean {named[0]!r}?" if named else guess(code, places)
    return f"no law on file for {code!r}.{hint}"
