"""What is remembered is bounded."""

from __future__ import annotations

import pickle

from compliance.law.memo import Memo


def test_all_is_forgotten_where_there_is_no_room_for_more() -> None:
    memo: Memo[int, str] = Memo(3)
    for number in range(3):
        memo[number] = str(number)
    assert len(memo) == 3
    memo[3] = "3"
    assert dict(memo) == {3: "3"}


def test_what_is_large_takes_more_room() -> None:
    memo: Memo[int, str] = Memo(5, len)
    memo[1], memo[2] = "aa", "bbb"
    assert list(memo) == [1, 2]
    memo[3] = "c"
    assert list(memo) == [3]


def test_it_travels_empty() -> None:
    memo: Memo[int, str] = Memo(5, len)
    memo[1] = "a"
    other = pickle.loads(pickle.dumps(memo))
    assert other == {} and other.most == 5 and other.size is len
