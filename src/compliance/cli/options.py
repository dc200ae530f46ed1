"""Options that several commands share."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import Any

import click

from compliance.errors import UsageError


def read_day(text: str | None) -> date:
    """Return an ISO day given on the command line, today where none is; raises UsageError."""
    if text is None:
        return date.today()
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise UsageError(f"{text!r} is no day. Allowed: a day such as 2026-11-24") from None


def law_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """Add --laws."""
    help = "folder of law files (default: the law base of this package)"
    return click.option("--laws", type=click.Path(path_type=Path, file_okay=False), help=help)(command)


def assume_option(command: Callable[..., Any]) -> Callable[..., Any]:
    """Add --assume (repeatable, in order)."""
    help = "assumptions for absent facts: cautious, practical or a YAML file; repeatable, first come first"
    return click.option("--assume", multiple=True, metavar="SET", help=help)(command)
