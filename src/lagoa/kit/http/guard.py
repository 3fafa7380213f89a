"""Decides which addresses may be asked: a name is resolved once, and the address that was checked is connected to."""

from __future__ import annotations

import socket
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv6Address, IPv6Network, ip_address
from typing import Any

from lagoa.errors import SourceError

_NAT64 = IPv6Network("64:ff9b::/96")
_METADATA = {ip_address(a) for a in ("169.254.169.254", "169.254.170.2", "100.100.100.200", "fd00:ec2::254")}


@dataclass(frozen=True)
class Guard:
    """`private` lets addresses of this machine and of private networks be asked.

    Link-local addresses and those of cloud metadata are then asked only when the project itself names the host
    (`named`), never because a server points there.
    """

    private: bool = False
    named: frozenset[str] = frozenset()

    def addresses(self, host: str, port: int) -> list[tuple[int, Any]]:
        """Resolve a host into families and socket addresses. Raises SourceError LG-211, OSError when there is none.

        One address that may not be asked refuses the host: a name that has both is playing tricks.
        """
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
        for *_, place in found:
            self._judge(host, str(place[0]))
        return [(family, place) for family, _, _, _, place in found]

    def _judge(self, host: str, text: str) -> None:
        kind = kind_of(text)
        if kind is None or (self.private and (kind == "private" or host in self.named)):
            return
        hint = "`allow_private: true` in the source lets private addresses be asked"
        if self.private:
            hint = "no server may point there; name the host in `url:` if it is meant"
        raise SourceError("LG-211", f"{host} is at {text}, which is a {kind} address", hint=hint)


def kind_of(text: str) -> str | None:
    """Say what keeps an address from being asked: 'private', 'link-local' or 'metadata'; None for a public one."""
    address = _inner(ip_address(text.partition("%")[0]))
    if address in _METADATA:
        return "metadata"
    if address.is_link_local:
        return "link-local"
    return None if address.is_global and not address.is_multicast else "private"


def _inner(address: IPv4Address | IPv6Address) -> IPv4Address | IPv6Address:
    """Unwrap an IPv4 address that an IPv6 address carries."""
    if isinstance(address, IPv4Address):
        return address
    if address in _NAT64:
        return IPv4Address(int(address) & 0xFFFFFFFF)
    teredo = address.teredo
    return address.ipv4_mapped or address.sixtofour or (teredo[1] if teredo else None) or address
