"""Combinations of words: what a place is asked about, and how many are remembered."""

from __future__ import annotations

import numpy as np
from invented import frame

from compliance.decision import combine
from compliance.decision.batch import Coded
from compliance.decision.situations import fill
from desk import TODAY, as_table


def test_a_place_is_asked_only_about_the_words_that_occur_there() -> None:
    rows = [{"jurisdiction": place, "modality": [word]} for word in ("CT", "MR") for place in ("XA", "XB", "XC")]
    filled = fill(as_table([*rows, {"jurisdiction": "XC", "modality": ["US"]}], frame().vocabulary), (), TODAY.toordinal())
    assert filled.combos.words.size == 7
    one = filled.take(np.array([1, 4]), 7).combos
    assert one.words.size == 2 and one.ids.tolist() == [0, 1]
    assert [one.words.value("modality", number).must for number in one.ids] == [{"CT"}, {"MR"}]
    assert filled.take(slice(6, 7), 7).combos.words.size == 1


def test_the_combinations_that_are_remembered_are_bounded_in_all() -> None:
    for number in range(2 * combine._MOST // combine._SMALL):
        codes = np.full(combine._SMALL, number, np.intp)
        words = combine.words(combine._SMALL, {"modality": Coded(codes, (None,))})
        assert combine.words(combine._SMALL, {"modality": Coded(codes.copy(), (None,))}) is words
    assert sum(known.size for known in combine._known.values()) <= combine._MOST


def test_what_follows_from_words_and_ever_new_things_is_bounded() -> None:
    words = combine.words(1, {})
    things = [object() for _ in range(3 * combine._THINGS)]
    assert [words.once("number", thing, lambda n=n: n) for n, thing in enumerate(things)] == list(range(len(things)))  # type: ignore[misc]
    assert len(words._found) <= combine._THINGS and words.once("number", things[-1], lambda: -1) == len(things) - 1


def test_combinations_are_the_same_only_where_they_are_numbered_alike() -> None:
    yes = (frozenset({"a"}), frozenset({"b"}))
    short = {"x": Coded(np.array([1, 0], np.int32), yes)}  # type: ignore[arg-type]
    same = {"x": Coded(np.array([1], np.intp), yes)}  # type: ignore[arg-type]
    assert combine.words(2, short) is not combine.words(2, same)
