"""Servers for the session, and helpers that read streams as a run does."""

from __future__ import annotations

import pytest

pytest.register_assert_rewrite("lagoa.testing.sources")

from lagoa.testing.mariadb import mariadb_server as mariadb_server  # noqa: E402  # after the rewriting is set up
from lagoa.testing.postgres import postgres_server as postgres_server  # noqa: E402  # after the rewriting is set up
