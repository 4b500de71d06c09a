"""The table of events."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0001"
down_revision = None

TEXTS = (
    "kind", "case", "who", "decision", "note", "flag", "model", "refers",
    "prediction_hash", "reference_hash", "software",
)  # fmt: skip


def upgrade() -> None:
    op.create_table(
        "events",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer, "sqlite"), primary_key=True),
        sa.Column("uid", sa.String(36), nullable=False, unique=True),
        sa.Column("when", sa.String(32).with_variant(sa.TIMESTAMP(timezone=True), "postgresql"), nullable=False),
        *(sa.Column(name, sa.Text, nullable=False) for name in TEXTS),
        sa.Column("payload", sa.JSON().with_variant(postgresql.JSONB, "postgresql"), nullable=False),
        sqlite_autoincrement=True,
    )
    op.create_index("events_case", "events", ["case"])
