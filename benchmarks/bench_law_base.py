"""Parse, validate and lint every law file, and load the law base from its compiled build, against PyYAML's C loader alone on
the same files; prints the ratios last.
"""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable
from datetime import date

import yaml

from compliance.law.knowledge import load
from compliance.law.lint import lint
from compliance.law.sources import shipped

TODAY = date(2026, 11, 24).toordinal()


def clock(work: Callable[[], object]) -> float:
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


def main() -> None:
    texts = [path.read_text() for path in sorted(shipped().rglob("*.yaml"))]

    def plain() -> None:
        for text in texts:
            yaml.load(text, Loader=yaml.CBaseLoader)

    def cold() -> None:
        base = load(use_compiled=False)
        assert not any(problem.level == "error" for problem in lint(base, list(base.files), TODAY))

    load()
    rounds = [(clock(load), clock(cold), clock(plain)) for _ in range(7)][2:]
    ready, whole = (statistics.median(row[at] / row[2] for row in rounds) for at in (0, 1))
    print(f"parsed, validated and linted {whole:.2f} x PyYAML's C loader alone, compiled build {ready:.3f} x")


if __name__ == "__main__":
    main()
