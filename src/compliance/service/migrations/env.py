"""Alembic runs the migrations over the connection that `store.migrate` hands it."""

from __future__ import annotations

from alembic import context
from sqlmodel import SQLModel

from compliance.service import tables

assert tables
connection = context.config.attributes["connection"]
context.configure(connection=connection, target_metadata=SQLModel.metadata, render_as_batch=True)
with context.begin_transaction():
    context.run_migrations()
