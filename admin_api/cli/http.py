"""HTTP as the command line does it: one request, one answer, and what went wrong in words.

Loopback is reached directly, whatever proxy the environment names. Redirects are not followed: nobody who holds a
token sends it where an answer points. Tokens and passwords go over TLS, or not off this machine.
"""

import ipaddress
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import urlsplit

import httpx

from admin_api.cli.errors import Unreachable, wrong_use
from lobby.names import shown

CONNECT_SECONDS: Final = 5.0
ANSWER_SECONDS: Final = 35.0
"""API Gateway gives up after 30."""


@dataclass(frozen=True)
class Answer:
    """What came back. `kind` is the content type without its parameters, `retry_after` in seconds where said."""

    url: str
    status: int
    kind: str
    text: str
    retry_after: float | None = None


def open_http(url: str, answer_seconds: float = ANSWER_SECONDS) -> httpx.Client:
    """A client for this address and others of its origin."""
    timeout = httpx.Timeout(answer_seconds, connect=min(CONNECT_SECONDS, answer_seconds))
    return httpx.Client(timeout=timeout, trust_env=not is_near(url), headers={"user-agent": "lobbyctl"})


def exchange(http: httpx.Client, url: str, method: str = "POST", **request: Any) -> Answer:
    """Raises `Unreachable`: UNREACHABLE or TIMED_OUT."""
    try:
        answer = http.request(method, url, **request)
        kind = answer.headers.get("content-type", "").split(";")[0].strip().lower()
        return Answer(url, answer.status_code, kind, answer.text, _seconds(answer.headers.get("retry-after")))
    except (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout) as fault:
        raise Unreachable("UNREACHABLE", f"got no connection to {url} ({_words(fault)})", sent=False) from fault
    except httpx.TimeoutException as fault:
        raise Unreachable(
            "TIMED_OUT", f"got no answer from {url} in time; it may have been done all the same"
        ) from fault
    except (httpx.HTTPError, httpx.InvalidURL) as fault:
        raise Unreachable("UNREACHABLE", f"got no whole answer from {url} ({_words(fault)})") from fault


def checked_url(text: object, what: str) -> str:
    """An address that secrets may be sent to: https, or http on this machine's loopback.

    Raises `InvalidInput` INVALID_URL."""
    try:
        parts = urlsplit(text) if isinstance(text, str) else None
        sound = parts is not None and bool(parts.hostname) and parts.username is None and parts.port != 0
    except ValueError:
        parts, sound = None, False
    if not sound or not isinstance(text, str) or parts is None or not text.isprintable() or " " in text:
        raise wrong_use(
            f"got {shown(text)} as {what}, want an address such as https://lobby.example.com", "INVALID_URL"
        )
    if parts.scheme != "https" and not (parts.scheme == "http" and is_near(text)):
        raise wrong_use(f"got {shown(text)} as {what}, want https: a sign-in goes there", "INVALID_URL")
    return text


def origin_of(url: str) -> str:
    """The address of a lobby, said in one way: scheme, host and port, nothing after."""
    parts = urlsplit(checked_url(url, "the lobby's address"))
    return f"{parts.scheme}://{parts.netloc.lower()}"


def is_near(url: str) -> bool:
    """Whether it is on this machine's loopback."""
    try:
        host = urlsplit(url).hostname or ""
        return host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def _seconds(text: str | None) -> float | None:
    """Of a Retry-After in seconds; one with a date is left to our own waits."""
    return float(text) if text is not None and text.isascii() and text.isdigit() and len(text) < 10 else None


def _words(fault: Exception) -> str:
    return str(fault) or type(fault).__name__
