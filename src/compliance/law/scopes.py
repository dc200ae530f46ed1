"""Does a norm apply? Scopes: read from a law file, held against the facts, and why they hold or not."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

from compliance.errors import guess, listed
from compliance.law.conditions import (
    MAYBE,
    NO,
    YES,
    Age,
    Compared,
    Condition,
    Facts,
    Flag,
    Listed,
    Not,
    Truth,
    Within,
    facts_in,
    known,
)
from compliance.law.dates import read_edtf
from compliance.law.periods import read_line
from compliance.law.shape import Reader, Shape
from compliance.law.vocabulary import FactType, Vocabulary, normal_word
from compliance.law.yaml import Node


class Scope(NamedTuple):
    """Any of several conjunctions; none at all = always in scope."""

    any_of: tuple[tuple[Condition, ...], ...] = ()

    def truth(self, facts: Facts) -> Truth:
        """Return whether the scope holds."""
        if not self.any_of:
            return YES
        best = NO
        for conjunction in self.any_of:
            worst = YES
            for condition in conjunction:
                worst = min(worst, condition.truth(facts))
                if worst == NO:
                    break
            best = max(best, worst)
            if best == YES:
                break
        return best

    def why(self, facts: Facts) -> str:
        """Name the conditions that stand in the way of a yes, empty where it is one."""
        truth = self.truth(facts)
        if truth == YES:
            return ""
        parts = []
        for conjunction in self.any_of:
            wrong = [condition for condition in conjunction if condition.truth(facts) == truth]
            parts += [_reason(condition, facts, truth) for condition in wrong[:2]]
        return "; ".join(dict.fromkeys(parts))

    def conditions(self) -> tuple[Condition, ...]:
        """Return every condition."""
        return tuple(condition for conjunction in self.any_of for condition in conjunction)

    def names(self, fact: str) -> bool:
        """The scope asks about this fact."""
        return any(fact in facts_in(condition) for condition in self.conditions())


ALWAYS = Scope()


def _reason(condition: Condition, facts: Facts, truth: Truth) -> str:
    unsure = [fact for fact in facts_in(condition) if not known(fact, facts)]
    if truth == MAYBE and unsure:
        return f"{condition}: {' and '.join(unsure)} not known"
    return f"{condition}: doubtful" if truth == MAYBE else f"not so: {condition}"


def read_condition(name: str, node: Node, reader: Reader, vocabulary: Vocabulary) -> Condition | None:
    """Read one entry of a scope; None after a fault."""
    if name == "age":
        return _read_age(node, reader, vocabulary)
    kind = vocabulary.type_of(name)
    if kind is None:
        reader.fault(node, f"unknown fact.{guess(name, [*vocabulary.facts, 'age'])}")
        return None
    if isinstance(node.value, dict) and set(node.value) == {"not"}:
        inner = read_condition(name, node.value["not"], reader.at("not"), vocabulary)
        return Not(inner) if inner else None
    if kind.type == "date":
        return _read_date(kind, node, reader, vocabulary)
    if kind.type == "boolean":
        if node.value in ("true", "false"):
            return Flag(name, node.value == "true")
        reader.fault(node, f"{name} takes true or false")
        return None
    return _read_list(kind, node, reader, vocabulary)


def _read_list(kind: FactType, node: Node, reader: Reader, vocabulary: Vocabulary) -> Condition | None:
    items = node.value if isinstance(node.value, list) else [node]
    if not items:
        reader.fault(node, "an empty list matches nothing")
    words: list[str] = []
    for number, item in enumerate(items):
        below = reader.at(number) if isinstance(node.value, list) else reader
        word = normal_word(kind, item.value) if isinstance(item.value, str) else ""
        if not isinstance(item.value, str):
            below.fault(item, f"{kind.name} takes a list of words or {{not: [...]}}")
        elif word == "unknown":
            below.fault(item, "'unknown' is nothing a scope can ask for: what is not known matches perhaps, as it is")
        elif kind.values and not kind.open and word not in kind.values:
            below.fault(
                item,
                f"{item.value!r} is not allowed. Allowed: {listed(kind.values, 30)}.{guess(item.value, kind.values)}",
            )
        elif not word:
            below.fault(item, "a blank text matches nothing")
        else:
            words.append(word)
    return listing(kind.name, frozenset(words), vocabulary) if words else None


def listing(fact: str, words: frozenset[str], vocabulary: Vocabulary) -> Listed:
    """Return the condition that `fact` holds one of the words, with the words within and around them."""
    reach = words.union(*(vocabulary.narrower(fact, word) for word in words)) if words else words
    wide = reach.union(*(vocabulary.wider(fact, word) for word in words)) if words else words
    return Listed(fact, words, reach, wide, vocabulary.facts[fact].type == "choice")


def _read_date(kind: FactType, node: Node, reader: Reader, vocabulary: Vocabulary) -> Condition | None:
    if isinstance(node.value, dict):
        if (
            len(node.value) == 1
            and (how := next(iter(node.value))) in ("before", "from")
            and isinstance(node.value[how].value, str)
        ):
            try:
                return Compared(kind.name, how == "before", read_line(str(node.value[how].value), vocabulary))
            except ValueError as error:
                reader.at(how).fault(node.value[how], str(error))
                return None
        reader.fault(node, "a date takes an EDTF range, never, happened, {before: LINE}, {from: LINE} or {not: [...]}")
        return None
    ranges, happened = [], False
    for item in node.value if isinstance(node.value, list) else [node]:
        if item.value == "happened":
            happened = True
            continue
        if item.value == "unknown":
            reader.fault(item, "'unknown' is no date a scope can ask for. Allowed: an EDTF range, never, happened")
            return None
        try:
            ranges.append(read_edtf(str(item.value)))
        except ValueError as error:
            reader.fault(item, str(error))
            return None
    return Within(kind.name, tuple(ranges), happened)


def _read_age(node: Node, reader: Reader, vocabulary: Vocabulary) -> Condition | None:
    tree = node.value if isinstance(node.value, dict) else {}
    how = next((word for word in ("under", "from") if word in tree), None)
    if how is None or set(tree) != {how, "at"}:
        reader.fault(node, "age takes {under: N, at: FACT} or {from: N, at: FACT}; N a number of years or majority")
        return None
    limit, at = tree[how].value, tree["at"].value
    kind = vocabulary.type_of(at) if isinstance(at, str) else None
    if kind is None or kind.type != "date":
        dates = [fact for fact, kind in vocabulary.facts.items() if kind.type == "date"]
        reader.at("at").fault(tree["at"], f"{at!r} is no date fact.{guess(str(at), dates)}")
        return None
    if limit != "majority" and not (isinstance(limit, str) and limit.isdigit() and 0 < int(limit) < 200):
        reader.at(how).fault(tree[how], f"{limit!r} is no age. Allowed: a whole number of years, majority")
        return None
    return Age(how == "under", 0 if limit == "majority" else int(str(limit)), str(at))


@dataclass(eq=False, repr=False)
class ScopeShape(Shape):
    """Reads a scope: a mapping (all must hold) or a list of mappings (any of them)."""

    vocabulary: Vocabulary

    def read(self, node: Node, reader: Reader) -> Scope | None:
        """Return the scope; conditions with a fault are left out."""
        parts = node.value if isinstance(node.value, list) else [node]
        if not parts:
            reader.fault(node, "an empty list of scopes matches nothing. Leave the scope out to match always.")
        conjunctions = []
        for number, part in enumerate(parts):
            below = reader.at(number) if isinstance(node.value, list) else reader
            if not isinstance(part.value, dict) or not part.value:
                below.fault(part, "a scope is a mapping of facts to values, or a list of such mappings")
                continue
            found = [self._condition(name, item, part, below) for name, item in part.value.items()]
            conjunctions.append(tuple(condition for condition in found if condition))
        return Scope(tuple(conjunctions))

    def _condition(self, name: str, item: Node, part: Node, reader: Reader) -> Condition | None:
        before = len(reader.problems)
        condition = read_condition(name, item, reader.at(name), self.vocabulary)
        if len(reader.problems) > before and self.vocabulary.type_of(name) is None and name != "age":
            last = reader.problems.pop()
            reader.at(name).fault(part, last.message, part.keys.get(name))
        return condition

    def schema(self) -> dict[str, object]:
        """Return the JSON Schema by reference."""
        return {"$ref": "#/$defs/scope"}


def schema(vocabulary: Vocabulary) -> dict[str, object]:
    """Return the JSON Schema of a scope, to stand under `$defs/scope`."""
    one: dict[str, object] = {
        "age": {
            "type": "object",
            "required": ["at"],
            "additionalProperties": False,
            "properties": {
                "under": {"type": ["integer", "string"]},
                "from": {"type": ["integer", "string"]},
                "at": {"type": "string"},
            },
        }
    }
    for name, kind in vocabulary.facts.items():
        one[name] = {"description": kind.says, **_value_schema(kind)}
    mapping = {"type": "object", "properties": one, "additionalProperties": False, "minProperties": 1}
    return {"anyOf": [mapping, {"type": "array", "items": mapping, "minItems": 1}]}


def _value_schema(kind: FactType) -> dict[str, object]:
    if kind.type == "boolean":
        return {"type": "boolean"}
    if kind.type == "date":
        return {"type": ["string", "number", "object", "array"]}
    word: dict[str, object] = {"enum": list(kind.values)} if kind.values and not kind.open else {"type": "string"}
    some = {"anyOf": [word, {"type": "array", "items": word, "minItems": 1}]}
    return {
        "anyOf": [
            *some["anyOf"],
            {"type": "object", "properties": {"not": some}, "required": ["not"], "additionalProperties": False},
        ]
    }
