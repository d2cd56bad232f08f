"""HTTP for the command line. It sends one request, returns the response, and turns failures into `Unreachable`.

Requests to loopback addresses do not use the proxy of the environment. Redirects are not followed, so a response cannot
send a token to another address. A response is refused if it is compressed or too large, or if its headers or body are
too slow. Tokens and passwords are sent only over TLS or to this machine.
"""

import ipaddress
import os
import ssl
import time
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any, Final
from urllib.parse import urlsplit

import httpx

from admin_api.cli.api.time_limit import TimeLimit
from admin_api.cli.errors import Unreachable, usage_error
from lobby.errors import InvalidInput
from lobby.http_limits import CONNECT_SECONDS, MAX_BODY, RESPONSE_SECONDS
from lobby.names import shown

MAX_TOKEN: Final = 16_384
"""The longest token in characters: more than a server accepts in all headers of a request."""
_MAX_MEDIA_TYPE: Final = 100
_VARIABLES: Final = frozenset(
    {"HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "NO_PROXY", "SSL_CERT_FILE", "SSL_CERT_DIR", "SSLKEYLOGFILE"}
)
"""The variables that the HTTP client reads."""


@dataclass(frozen=True)
class Response:
    """An HTTP response. `media_type` is the content type without parameters; `retry_after` is in seconds."""

    url: str
    status: int
    media_type: str
    text: str
    retry_after: float | None = None

    def __str__(self) -> str:
        return f"HTTP {self.status} ({self.media_type or 'no content type'}) from {self.url}"


def open_http(url: str, response_seconds: float = RESPONSE_SECONDS) -> httpx.Client:
    """Return an HTTP client for `url` and other addresses of its host. Raise `InvalidInput` INVALID_ENVIRONMENT."""
    timeout = httpx.Timeout(response_seconds, connect=min(CONNECT_SECONDS, response_seconds))
    headers = {"user-agent": "lobbyctl", "accept-encoding": "identity"}
    trust_env = not is_loopback(url)
    try:
        return httpx.Client(verify=_tls(trust_env), timeout=timeout, trust_env=trust_env, headers=headers)
    except (httpx.InvalidURL, ImportError, OSError, ValueError) as error:  # ssl.SSLError is an OSError
        raise _invalid_environment(error) from error


def _invalid_environment(error: Exception) -> InvalidInput:
    """Return the error for variables that the HTTP client cannot use. It does not contain the values, because they may
    contain passwords."""
    names = [name for name in os.environ if name.upper() in _VARIABLES]
    got = f"{', '.join(sorted(names)) or 'an environment'} that cannot be used ({_reason(error)})"
    want = "http:// or https:// proxies, host names or addresses without brackets in NO_PROXY, and readable PEM files"
    return usage_error(f"got {got}, want {want}", "INVALID_ENVIRONMENT")


@cache
def _tls(trust_env: bool) -> ssl.SSLContext:
    """Return the TLS context of all clients. Creating one reads all CAs, which takes longer than a request."""
    return httpx.create_ssl_context(trust_env=trust_env)


def send(http: httpx.Client, url: str, method: str = "POST", **request: Any) -> Response:
    """Send one request and return its response. Raise `Unreachable` UNREACHABLE or TIMED_OUT."""
    with TimeLimit(http, (http.timeout.read or RESPONSE_SECONDS) + CONNECT_SECONDS) as limit:
        return _exchange(http, url, method, limit, request)


def _exchange(http: httpx.Client, url: str, method: str, limit: TimeLimit, request: Mapping[str, Any]) -> Response:
    try:
        with http.stream(method, url, extensions={"trace": limit.trace}, **request) as response:
            media_type = response.headers.get("content-type", "").split(";")[0].strip().lower()[:_MAX_MEDIA_TYPE]
            text = _body(response, url)
            return Response(url, response.status_code, media_type, text, _retry_after(response))
    except (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout) as error:
        raise Unreachable("UNREACHABLE", f"got no connection to {url} ({_reason(error)})", sent=False) from error
    except (httpx.HTTPError, httpx.InvalidURL, UnicodeError) as error:
        if limit.is_over or isinstance(error, httpx.TimeoutException):
            message = f"got no response from {url} in time; the request may have been carried out"
            raise Unreachable("TIMED_OUT", message) from error
        raise Unreachable("UNREACHABLE", f"got no complete response from {url} ({_reason(error)})") from error


def _body(response: httpx.Response, url: str) -> str:
    """Return the text of a response that is not compressed, not too large, and complete in time. Raise `Unreachable`
    NOT_A_LOBBY or TIMED_OUT."""
    encoding = response.headers.get("content-encoding", "identity").strip().lower()
    if encoding != "identity":
        raise Unreachable("NOT_A_LOBBY", f"got a response with the encoding {shown(encoding)} from {url}, want none")
    limit = response.request.extensions["timeout"]["read"] or RESPONSE_SECONDS
    body, end = bytearray(), time.monotonic() + limit
    for chunk in response.iter_raw():
        body += chunk
        if len(body) > MAX_BODY:
            raise Unreachable("NOT_A_LOBBY", f"got a response of more than {MAX_BODY:,} bytes from {url}, want fewer")
        if time.monotonic() > end:
            raise Unreachable("TIMED_OUT", f"got only a part of the response from {url} in {limit:g} s")
    return body.decode("utf-8", errors="replace")


def checked_url(text: object, what: str) -> str:
    """Return an address that secrets may be sent to: https, or http on loopback.

    Raise `InvalidInput` INVALID_URL for any other; `what` names the address in the message."""
    try:
        parts = urlsplit(text) if isinstance(text, str) else None
        valid = parts is not None and bool(parts.hostname) and parts.username is None and parts.port != 0
    except ValueError:
        parts, valid = None, False
    if not valid or not isinstance(text, str) or parts is None or not text.isprintable() or " " in text:
        raise usage_error(
            f"got {shown(text)} as {what}, want an address such as https://lobby.example.com", "INVALID_URL"
        )
    if parts.scheme != "https" and not (parts.scheme == "http" and is_loopback(text)):
        raise usage_error(
            f"got {shown(text)} as {what}, want https: credentials are sent to this address", "INVALID_URL"
        )
    return text


def origin_of(url: str) -> str:
    """Return scheme, host and port of a lobby's address. Raise `InvalidInput` INVALID_URL."""
    parts = urlsplit(checked_url(url, "the lobby's address"))
    return f"{parts.scheme}://{parts.netloc.lower()}"


def is_loopback(url: str) -> bool:
    """Return whether the host of `url` is a loopback address of this machine."""
    try:
        host = urlsplit(url).hostname or ""
        return host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def _retry_after(response: httpx.Response) -> float | None:
    """Return the Retry-After header in seconds. A header with a date is ignored."""
    text = response.headers.get("retry-after")
    return float(text) if text is not None and text.isascii() and text.isdigit() and len(text) < 10 else None


def _reason(error: Exception) -> str:
    return str(error) or type(error).__name__


def checked_token(token: object) -> str:
    """Return a token that can be sent in a header. Raise `TypeError` for anything else."""
    if not isinstance(token, str) or not 0 < len(token) <= MAX_TOKEN or not token.isascii() or not token.isprintable():
        raise TypeError("a token is not printable ASCII text")
    return token
