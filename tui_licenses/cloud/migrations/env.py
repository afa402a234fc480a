"""Run by alembic for each migration, on the connection `migrate` opened."""

from __future__ import annotations

from alembic import context

from tui_licenses.cloud.tables import metadata

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=metadata,
    transactional_ddl=True,
)
with context.begin_transaction():
    context.run_migrations()
