"""The server that a page about PostgreSQL works on."""

from __future__ import annotations

from lagoa.testing.postgres import postgres_server

__all__ = ["postgres_server"]
