"""What a driver says becomes an error that tells whether the same call may succeed later."""

from __future__ import annotations

import pytest

from lagoa.errors import SourceError
from lagoa.kit.endpoint import Endpoint
from lagoa.kit.postgres.failure import explain
from lagoa.spec.secret import Secret

ENDPOINT = Endpoint.parse(Secret("postgresql://boss:hidden@db:5432/erp"), ["postgresql"])


@pytest.mark.parametrize(
    ("said", "code", "retry"),
    [
        ('ERROR: invalid snapshot identifier: "00000003-0000000D-1" SQLSTATE: 22023', "LG-201", True),
        ("FATAL: terminating connection due to administrator command SQLSTATE: 57P01", "LG-201", True),
        ('ERROR: relation "x" does not exist SQLSTATE: 42P01', "LG-203", False),
        ("ERROR: division by zero SQLSTATE: 22012", "LG-202", False),
    ],
)
def test_a_failure_says_whether_a_retry_may_heal_it(said: str, code: str, retry: bool) -> None:
    error = explain(ConnectionError(said), ENDPOINT, "bronze.erp_x")
    assert isinstance(error, SourceError)
    assert (error.code, error.retry) == (code, retry)
    assert "hidden" not in str(error)
