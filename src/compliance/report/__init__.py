"""Findings to paper: the report, its charts, and the data files beside it."""
