"""DuckDB connections that write nothing to the standard output, which belongs to the results of commands."""

from __future__ import annotations

import duckdb


def connect(**settings: str) -> duckdb.DuckDBPyConnection:
    """Open a database in memory, without DuckDB's own progress bar."""
    con = duckdb.connect(config=settings)
    con.execute("set enable_progress_bar = false")
    return con
