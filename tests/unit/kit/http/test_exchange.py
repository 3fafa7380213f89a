"""Connections that are given up while another thread opens them leave no socket behind."""

from __future__ import annotations

import socket
from collections.abc import Sequence
from typing import Any

import pytest

from lagoa.kit.http.exchange import Connection, Pool
from lagoa.kit.http.url import Address
from lagoa.testing.web import Web


class Meddling:
    """A guard that lets something happen between the decision to connect and the connection."""

    def __init__(self, happens: Any) -> None:
        self.happens = happens

    def addresses(self, host: str, port: int) -> Sequence[tuple[int, tuple[str, int]]]:
        self.happens()
        return [(socket.AF_INET, (host, port))]


def test_a_connection_that_is_given_up_is_not_opened_again_behind_its_back() -> None:
    with Web() as web:
        given: list[Connection] = []
        guard: Any = Meddling(lambda: pool.drop(given[0]))
        pool: Pool = Pool(guard, 5, 5)
        given.append(pool.take(Address.parse(f"{web.url}/a")))
        with pytest.raises(ConnectionAbortedError, match="given up"):
            given[0].request("GET", "/a")
        assert given[0].sock is None
        assert web.asked == []
