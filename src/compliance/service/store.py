"""The store: SQLite by default, PostgreSQL by URL."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass
class Store:
    """A database by its URL."""

    url: str
