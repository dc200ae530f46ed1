"""Load the law base from its compiled build against PyYAML's C loader alone on the same files; prints the ratio last."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable

import yaml

from compliance.law.knowledge import load
from compliance.law.sources import shipped


def clock(work: Callable[[], object]) -> float:
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


def main() -> None:
    texts = [path.read_text() for path in sorted(shipped().rglob("*.yaml"))]

    def plain() -> None:
        for text in texts:
            yaml.load(text, Loader=yaml.CBaseLoader)

    load()
    pairs = [(clock(load), clock(plain)) for _ in range(7)][2:]
    print(f"compiled build {statistics.median(a / b for a, b in pairs):.2f} x PyYAML's C loader alone")


if __name__ == "__main__":
    main()
