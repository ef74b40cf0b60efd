"""Captures, their assets, and which uses which."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None


def upgrade() -> None:
    key = sa.BigInteger().with_variant(sa.Integer, "sqlite")
    op.create_table(
        "captures",
        sa.Column("seq", key, primary_key=True, autoincrement=True),
        sa.Column("id", sa.String(80), nullable=False, unique=True),
        sa.Column("endpoint", sa.String(200), nullable=False, index=True),
        sa.Column("started", sa.String(40), nullable=False),
        sa.Column("seconds", sa.Float, nullable=False),
        sa.Column("source", sa.String(10), nullable=False, index=True),
        sa.Column("state", sa.String(20), nullable=False),
        sa.Column("user", sa.Text),
        sa.Column("prompt", sa.Text, nullable=False),
        sa.Column("seed", sa.BigInteger),
        sa.Column("model", sa.Text, nullable=False),
        sa.Column("width", sa.Integer),
        sa.Column("height", sa.Integer),
        sa.Column("pictures", sa.Integer, nullable=False),
        sa.Column("warnings", sa.Integer, nullable=False),
        sa.Column("error", sa.Text),
        sa.Column("failure", sa.Text),
        sa.Column("thumbnail", sa.String(64)),
        sa.Column("document", sa.Text, nullable=False),
    )
    op.create_table(
        "assets",
        sa.Column("sha256", sa.String(64), primary_key=True),
        sa.Column("media_type", sa.String(80), nullable=False),
        sa.Column("size", sa.BigInteger, nullable=False),
    )
    op.create_table(
        "uses",
        sa.Column("capture", sa.BigInteger, primary_key=True),
        sa.Column("sha256", sa.String(64), primary_key=True, index=True),
    )
