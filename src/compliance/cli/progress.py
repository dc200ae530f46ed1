"""Progress for people: on a terminal one line that renews itself, elsewhere a line every ten seconds; always stderr."""

from __future__ import annotations

import sys
import time


class Bar:
    """Shows done, total, rate and the time left."""

    def __init__(self, what: str, quiet: bool = False) -> None:
        self.what, self.quiet = what, quiet
        self.started = time.monotonic()
        self.shown = self.started
        self.first: int | None = None
        self.live = sys.stderr.isatty()

    def __call__(self, done: int, total: int, size: int = 0) -> None:
        """Show where the work stands; cheap to call often."""
        now = time.monotonic()
        if self.first is None:
            self.first = done
        if self.quiet or now - self.shown < (0.2 if self.live else 10):
            return
        self.shown = now
        rate = (done - self.first) / max(now - self.started, 1e-6)
        left = f", {clock((total - done) / rate)} left" if rate and total > done else ""
        pace = f", {rate:,.0f}/s" if rate else ""
        volume = f", {size / 1e9:,.1f} GB" if size else ""
        text = f"{self.what}: {done:,} of {total:,}{volume}{pace}{left}"
        print(f"\r\x1b[K{text}" if self.live else text, end="" if self.live else "\n", file=sys.stderr, flush=True)

    def end(self) -> None:
        """Clear the line."""
        if self.live and not self.quiet:
            print("\r\x1b[K", end="", file=sys.stderr, flush=True)


def clock(seconds: float) -> str:
    """Return a duration for people."""
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours} h {minutes:02} min" if hours else f"{minutes} min {rest:02} s" if minutes else f"{rest} s"
