"""A port for a server of a test that nothing else on this machine is about to take."""

from __future__ import annotations

import contextlib
import random
import socket

_OURS = range(12000, 32000)
"""Below the ports that Linux hands out by itself (32768 and up): those, thousands of clients of other tests may take
between our look and the server's start."""
_LOOKS = 100


def free_port() -> int:
    """Find a port of the loopback address that nobody listens on. Raises RuntimeError after a hundred looks."""
    chance = random.SystemRandom()  # two workers whose seeds are equal must not look at the same ports
    for _ in range(_LOOKS):
        port = chance.choice(_OURS)
        with socket.socket() as probe, contextlib.suppress(OSError):
            probe.bind(("127.0.0.1", port))
            return port
    raise RuntimeError(f"no free port between {_OURS.start} and {_OURS.stop}")
