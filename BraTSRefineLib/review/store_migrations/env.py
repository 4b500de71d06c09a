"""Alembic's entry: runs the migrations in the transaction that ``store_schema.upgrade`` holds."""

from __future__ import annotations

from alembic import context

context.configure(connection=context.config.attributes["connection"], transactional_ddl=True)
context.run_migrations()
