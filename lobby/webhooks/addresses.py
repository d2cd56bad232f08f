"""Addresses to which a webhook may be sent: public unicast addresses only.

A webhook's URL comes from a user, and the addresses of its host from a DNS server that anyone can run. So a request
could be directed at the sender's own network or host, such as the metadata service of a cloud (server-side request
forgery). Rejects every address that is not globally reachable (IANA special-purpose address registries), also if it
contains a public IPv4 address, and IPv6 addresses that contain an IPv4 address which is not public.
"""

import ipaddress
from collections.abc import Iterator
from typing import Final

Address = ipaddress.IPv4Address | ipaddress.IPv6Address
_UNICAST: Final = ipaddress.IPv6Network("2000::/3")
"""The only IPv6 block from which public addresses are allocated (IANA, "IPv6 Address Space")."""
_NAT64: Final = ipaddress.IPv6Network("64:ff9b::/96")
_SPECIAL: Final = tuple(
    map(
        ipaddress.ip_network,
        (
            "192.0.0.0/24",  # IETF protocol assignments
            "192.88.99.0/24",  # 6to4 relays, deprecated by RFC 7526
            "3fff::/20",  # documentation, RFC 9637
        ),
    )
)
"""Special-purpose blocks that Python counts as global, at least in some versions."""
_ISATAP: Final = (0x0000_5EFE, 0x0200_5EFE)
"""The third quarter of an IPv6 address whose last one is an IPv4 address (RFC 5214)."""


def is_public(address: Address) -> bool:
    """Return whether requests may be sent to `address`."""
    if isinstance(address, ipaddress.IPv4Address):
        return _is_public_v4(address)
    if not all(map(_is_public_v4, _embedded(address))):
        return False
    if address.ipv4_mapped or address in _NAT64:
        return True
    return address in _UNICAST and address.is_global and not address.is_multicast and not _is_special(address)


def parse_address(text: str) -> Address:
    """Return an address as the resolver reports it. A zone (`%eth0`) belongs to link-local addresses and is kept by
    `ipaddress`. Raise `ValueError`."""
    return ipaddress.ip_address(text)


def _is_public_v4(address: ipaddress.IPv4Address) -> bool:
    return address.is_global and not address.is_multicast and not address.is_reserved and not _is_special(address)


def _is_special(address: Address) -> bool:
    return any(address in block for block in _SPECIAL)


def _embedded(address: ipaddress.IPv6Address) -> Iterator[ipaddress.IPv4Address]:
    """Yield the IPv4 addresses in an IPv6 address that a gateway or a kernel translates."""
    if address.ipv4_mapped:
        yield address.ipv4_mapped
    if address.sixtofour:
        yield address.sixtofour
    if address.teredo:
        yield from address.teredo
    if address in _NAT64 or int(address) >> 32 & 0xFFFFFFFF in _ISATAP:
        yield ipaddress.IPv4Address(int(address) & 0xFFFFFFFF)
