"""The URL of a webhook: HTTPS, a host name of the public DNS, and one of two ports.

An address instead of a name is rejected in every notation (dotted, decimal, octal, hexadecimal, IPv6), because parsers
disagree about these notations, and certificates are issued for names. `Loopback` is for the local cloud only, where a
receiver on the same machine may be `localhost`, on any port.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

from lobby.errors import InvalidInput
from lobby.names import shown
from lobby.settings import loopback

PORTS: Final = (443, 8443)
LOCALHOST: Final = "localhost"
ROOTS: Final = "WEBHOOK_ROOTS"
"""The environment variable that allows receivers on this machine: a file with CA certificates for them."""
_LONGEST: Final = 2048
_LABEL: Final = r"[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?"
_NAME: Final = re.compile(rf"({_LABEL}\.)+(?=[a-z])(?!0x){_LABEL}")
"""A DNS name of at least two labels, the last of which begins with a letter: no notation of an address has that."""
_LONGEST_NAME: Final = 253
_PRIVATE: Final = ("localhost", "local", "internal", "localdomain", "home.arpa", "in-addr.arpa", "ip6.arpa", "onion")
"""Names that the public DNS does not have (IANA, "Special-Use Domain Names"; ICANN, `internal`)."""
_UNPRINTABLE: Final = re.compile(r"[^\x21-\x7e]|[\\<>\"^`{|}]")


@dataclass(frozen=True)
class Loopback:
    """Receivers on this machine are allowed. `roots` has CA certificates to trust for them, if the file exists."""

    roots: Path

    @classmethod
    def of_environment(cls, environment: Mapping[str, str]) -> "Loopback | None":
        """Return the permission. It also requires the local cloud, an AWS endpoint on the loopback interface, so in AWS
        the variable alone permits nothing."""
        roots = environment.get(ROOTS)
        return cls(Path(roots)) if roots and loopback(environment.get("AWS_ENDPOINT_URL")) else None


@dataclass(frozen=True)
class WebhookUrl:
    """The parts that a request needs. `target` is path and query."""

    host: str
    port: int
    target: str

    @property
    def is_local(self) -> bool:
        return self.host == LOCALHOST

    @property
    def authority(self) -> str:
        """The value of the header `Host`."""
        return self.host if self.port == 443 else f"{self.host}:{self.port}"


def parse_url(text: object, allowed: Loopback | None = None) -> WebhookUrl:
    """Return the parts of a webhook's URL. Raise `InvalidInput` INVALID_URL, which does not quote the query: it may
    contain a token."""
    if not isinstance(text, str) or len(text) > _LONGEST or _UNPRINTABLE.search(text):
        raise _invalid(text, f"at most {_LONGEST} characters of a URL, without spaces")
    try:
        parts = urlsplit(text)
        host, port = (parts.hostname or "").lower(), parts.port
    except ValueError:
        raise _invalid(text, "a URL") from None
    if parts.scheme != "https":
        raise _invalid(text, "https")
    if "@" in parts.netloc or "#" in text:
        raise _invalid(text, "no user name and no fragment")
    if allowed and host == LOCALHOST:
        return WebhookUrl(host, 443 if port is None else port, _target(parts.path, parts.query))
    if not _NAME.fullmatch(host) or len(host) > _LONGEST_NAME or _is_private(host):
        raise _invalid(text, "a host name in the public DNS")
    if port not in (None, *PORTS):
        raise _invalid(text, f"port {' or '.join(map(str, PORTS))}")
    return WebhookUrl(host, port or PORTS[0], _target(parts.path, parts.query))


def _is_private(host: str) -> bool:
    return any(host == name or host.endswith(f".{name}") for name in _PRIVATE)


def _target(path: str, query: str) -> str:
    return (path or "/") + (f"?{query}" if query else "")


def _invalid(text: object, want: str) -> InvalidInput:
    got = text.partition("?")[0] if isinstance(text, str) else text
    return InvalidInput("INVALID_URL", f"got {shown(got)}, want {want}")
