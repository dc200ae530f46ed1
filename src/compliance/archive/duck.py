"""DuckDB connections that write nothing to the standard output, which belongs to the results of commands."""

from __future__ import annotations

import os

import duckdb

THREADS = 4  # at most: each needs blocks of its own out of a memory that is kept small


def connect(**settings: str) -> duckdb.DuckDBPyConnection:
    """Open a database in memory, without DuckDB's own progress bar."""
    con = duckdb.connect(config={"threads": str(min(THREADS, os.cpu_count() or 1)), **settings})
    con.execute("set enable_progress_bar = false")
    return con
