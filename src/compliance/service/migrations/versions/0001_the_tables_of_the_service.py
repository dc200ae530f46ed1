"""The tables of the service."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None


def _approvals() -> None:
    op.create_table(
        "approvals",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("subject", sa.String(), nullable=False),
        sa.Column("digest", sa.String(), nullable=False),
        sa.Column("by", sa.String(), nullable=False),
        sa.Column("role", sa.String(), nullable=False),
        sa.Column("note", sa.Text(), nullable=False),
        sa.Column("added", sa.String(), nullable=False),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("subject", "digest", "by", "role"),
    )
    op.create_index("ix_approvals_subject", "approvals", ["subject"], unique=False)


def _clients() -> None:
    op.create_table(
        "clients",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("key_hash", sa.String(), nullable=False),
        sa.Column("scopes", sa.String(), nullable=False),
        sa.Column("added", sa.String(), nullable=False),
        sa.Column("revoked", sa.String(), nullable=False),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("key_hash"),
        sa.UniqueConstraint("name"),
    )


def _holds() -> None:
    op.create_table(
        "holds",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("scope", sa.JSON(), nullable=False),
        sa.Column("matter", sa.Text(), nullable=False),
        sa.Column("issued_by", sa.String(), nullable=False),
        sa.Column("trigger", sa.Text(), nullable=False),
        sa.Column("issued", sa.String(), nullable=False),
        sa.Column("review_by", sa.String(), nullable=False),
        sa.Column("added_by", sa.String(), nullable=False),
        sa.Column("added", sa.String(), nullable=False),
        sa.Column("released", sa.String(), nullable=False),
        sa.Column("released_by", sa.String(), nullable=False),
        sa.Column("released_why", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("ix_holds_released", "holds", ["released"], unique=False)


def _inventories() -> None:
    op.create_table(
        "inventories",
        sa.Column("digest", sa.String(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("source", sa.String(), nullable=False),
        sa.Column("studies", sa.Integer(), nullable=False),
        sa.Column("bytes", sa.BigInteger(), nullable=False),
        sa.Column("added", sa.String(), nullable=False),
        sa.PrimaryKeyConstraint("digest"),
    )


def _laws_seen() -> None:
    op.create_table(
        "laws_seen",
        sa.Column("statute", sa.String(), nullable=False),
        sa.Column("digest", sa.String(), nullable=False),
        sa.PrimaryKeyConstraint("statute"),
    )


def _ledger() -> None:
    op.create_table(
        "ledger",
        sa.Column("number", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=False, nullable=False),
        sa.Column("at", sa.String(), nullable=False),
        sa.Column("actor", sa.String(), nullable=False),
        sa.Column("act", sa.String(), nullable=False),
        sa.Column("subject", sa.String(), nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.Column("previous", sa.String(), nullable=False),
        sa.Column("digest", sa.String(), nullable=False),
        sa.PrimaryKeyConstraint("number"),
        sa.UniqueConstraint("digest"),
    )
    op.create_index("ix_ledger_subject", "ledger", ["subject"], unique=False)


def _replies() -> None:
    op.create_table(
        "replies",
        sa.Column("caller", sa.String(), nullable=False),
        sa.Column("key", sa.String(), nullable=False),
        sa.Column("request", sa.String(), nullable=False),
        sa.Column("status", sa.Integer(), nullable=False),
        sa.Column("body", sa.LargeBinary(), nullable=False),
        sa.Column("added", sa.String(), nullable=False),
        sa.PrimaryKeyConstraint("caller", "key"),
    )
    op.create_index("ix_replies_added", "replies", ["added"], unique=False)


def _sign_offs() -> None:
    op.create_table(
        "sign_offs",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("statute", sa.String(), nullable=False),
        sa.Column("digest", sa.String(), nullable=False),
        sa.Column("by", sa.String(), nullable=False),
        sa.Column("role", sa.String(), nullable=False),
        sa.Column("note", sa.Text(), nullable=False),
        sa.Column("added", sa.String(), nullable=False),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("statute", "digest", "by"),
    )
    op.create_index("ix_sign_offs_statute", "sign_offs", ["statute"], unique=False)


def _waivers() -> None:
    op.create_table(
        "waivers",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("fingerprint", sa.String(), nullable=False),
        sa.Column("match", sa.JSON(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("owner", sa.String(), nullable=False),
        sa.Column("until", sa.String(), nullable=False),
        sa.Column("added_by", sa.String(), nullable=False),
        sa.Column("added", sa.String(), nullable=False),
        sa.Column("withdrawn", sa.String(), nullable=False),
        sa.Column("withdrawn_by", sa.String(), nullable=False),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("ix_waivers_fingerprint", "waivers", ["fingerprint"], unique=False)


def _webhooks() -> None:
    op.create_table(
        "webhooks",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("url", sa.Text(), nullable=False),
        sa.Column("secret", sa.String(), nullable=False),
        sa.Column("events", sa.String(), nullable=False),
        sa.Column("added_by", sa.String(), nullable=False),
        sa.Column("added", sa.String(), nullable=False),
        sa.Column("removed", sa.String(), nullable=False),
        sa.PrimaryKeyConstraint("id"),
    )


def _audits() -> None:
    op.create_table(
        "audits",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("inventory", sa.String(), nullable=False),
        sa.Column("profile", sa.String(), nullable=False),
        sa.Column("as_of", sa.String(), nullable=False),
        sa.Column("law_version", sa.String(), nullable=False),
        sa.Column("law_digest", sa.String(), nullable=False),
        sa.Column("findings", sa.Integer(), nullable=False),
        sa.Column("summary", sa.JSON(), nullable=False),
        sa.Column("added", sa.String(), nullable=False),
        sa.ForeignKeyConstraint(
            ["inventory"],
            ["inventories.digest"],
        ),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("ix_audits_added", "audits", ["added"], unique=False)
    op.create_index("ix_audits_inventory", "audits", ["inventory"], unique=False)


def _deliveries() -> None:
    op.create_table(
        "deliveries",
        sa.Column("number", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=True, nullable=False),
        sa.Column("webhook", sa.String(), nullable=False),
        sa.Column("event", sa.String(), nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("due", sa.String(), nullable=False),
        sa.Column("done", sa.String(), nullable=False),
        sa.Column("said", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(
            ["webhook"],
            ["webhooks.id"],
        ),
        sa.PrimaryKeyConstraint("number"),
    )
    op.create_index("ix_deliveries_done", "deliveries", ["done"], unique=False)
    op.create_index("ix_deliveries_due", "deliveries", ["due"], unique=False)
    op.create_index("ix_deliveries_webhook", "deliveries", ["webhook"], unique=False)


def _findings() -> None:
    op.create_table(
        "findings",
        sa.Column("number", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=True, nullable=False),
        sa.Column("audit", sa.String(), nullable=False),
        sa.Column("fingerprint", sa.String(), nullable=False),
        sa.Column("level", sa.String(), nullable=False),
        sa.Column("code", sa.String(), nullable=False),
        sa.Column("site", sa.String(), nullable=False),
        sa.Column("study", sa.String(), nullable=False),
        sa.Column("record", sa.String(), nullable=False),
        sa.Column("norm", sa.String(), nullable=False),
        sa.Column("citation", sa.Text(), nullable=False),
        sa.Column("message", sa.Text(), nullable=False),
        sa.Column("bytes", sa.BigInteger(), nullable=False),
        sa.Column("waived", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(
            ["audit"],
            ["audits.id"],
        ),
        sa.PrimaryKeyConstraint("number"),
    )
    op.create_index("ix_findings_audit", "findings", ["audit"], unique=False)
    op.create_index("ix_findings_code", "findings", ["code"], unique=False)
    op.create_index("ix_findings_fingerprint", "findings", ["fingerprint"], unique=False)
    op.create_index("ix_findings_study", "findings", ["study"], unique=False)


def upgrade() -> None:
    """Go up; what others refer to comes first."""
    for make in (
        _approvals,
        _clients,
        _holds,
        _inventories,
        _laws_seen,
        _ledger,
        _replies,
        _sign_offs,
        _waivers,
        _webhooks,
        _audits,
        _deliveries,
        _findings,
    ):
        make()


def downgrade() -> None:
    """Go down."""
    op.drop_index("ix_findings_study", "findings")
    op.drop_index("ix_findings_fingerprint", "findings")
    op.drop_index("ix_findings_code", "findings")
    op.drop_index("ix_findings_audit", "findings")

    op.drop_table("findings")
    op.drop_index("ix_deliveries_webhook", "deliveries")
    op.drop_index("ix_deliveries_due", "deliveries")
    op.drop_index("ix_deliveries_done", "deliveries")

    op.drop_table("deliveries")
    op.drop_index("ix_audits_inventory", "audits")
    op.drop_index("ix_audits_added", "audits")

    op.drop_table("audits")
    op.drop_table("webhooks")
    op.drop_index("ix_waivers_fingerprint", "waivers")

    op.drop_table("waivers")
    op.drop_index("ix_sign_offs_statute", "sign_offs")

    op.drop_table("sign_offs")
    op.drop_index("ix_replies_added", "replies")

    op.drop_table("replies")
    op.drop_index("ix_ledger_subject", "ledger")

    op.drop_table("ledger")
    op.drop_table("laws_seen")
    op.drop_table("inventories")
    op.drop_index("ix_holds_released", "holds")

    op.drop_table("holds")
    op.drop_table("clients")
    op.drop_index("ix_approvals_subject", "approvals")

    op.drop_table("approvals")
