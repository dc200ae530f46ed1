"""Both sides in turn, five rounds after a warm-up; the median of the ratios of each round."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Sequence

ROUNDS = 5


def clock(work: Callable[[], object]) -> float:
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


def ratios(ours: Callable[[], object], others: Sequence[Callable[[], object]], rounds: int = ROUNDS) -> list[float]:
    """Return, for each of the others, the median over the rounds of our time by theirs."""
    found = []
    for number in range(rounds + 1):
        mine = clock(ours)
        theirs = [clock(other) for other in others]
        if number:
            found.append([mine / one for one in theirs])
    return [statistics.median(column) for column in zip(*found, strict=True)]
