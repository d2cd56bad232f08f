"""Sends one request: the host is resolved once, its addresses are checked, and the connection goes to one of them.

So a host whose addresses change between check and connection cannot bypass the check. TLS verifies the certificate for
the host's name. Redirects are not followed. Only status and headers of the response are read, and the whole request
must end within `TIMEOUT`.
"""

import http.client
import socket
import ssl
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Final

from lobby.domain.events.webhook import Result
from lobby.errors import InvalidInput
from lobby.webhooks.addresses import is_public, parse_address
from lobby.webhooks.urls import Loopback, WebhookUrl, parse_url

TIMEOUT: Final = 15.0
"""Seconds for everything from the connection to the response's headers (Standard Webhooks, "Request timeouts")."""
_CONNECT: Final = 5.0
_MAX_RETRY_AFTER: Final = 6
"""Digits."""
_GONE: Final = 410
_AGENT: Final = "device-lobby"
Resolve = Callable[[str, int], Sequence[str]]
"""Returns the addresses of a host, in the order of preference. Raises `OSError`."""


@dataclass(frozen=True)
class Outcome:
    """The result of a request. `retry_after` is the wait that the receiver requests, in seconds."""

    result: Result
    status: int | None = None
    milliseconds: int = 0
    retry_after: int | None = None


class Refused(Exception):
    """No request is sent, for the reason `result`."""

    def __init__(self, result: Result) -> None:
        super().__init__(result.value)
        self.result = result


def resolve(host: str, port: int) -> Sequence[str]:
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, proto=socket.IPPROTO_TCP)
    return list(dict.fromkeys(str(address[0]) for *_, address in found))


class Sender:
    """`allowed` permits receivers on this machine. `resolve` and `timeout` are replaced in tests."""

    def __init__(self, allowed: Loopback | None = None, resolve: Resolve = resolve, timeout: float = TIMEOUT) -> None:
        self._allowed, self._resolve, self._timeout = allowed, resolve, timeout

    def send(self, url: str, body: bytes, headers: Mapping[str, str]) -> Outcome:
        """Send a POST request. Never raises for failures of the receiver or the network."""
        began = time.monotonic()
        outcome = self._attempt(url, body, headers, began + self._timeout)
        return Outcome(outcome.result, outcome.status, round((time.monotonic() - began) * 1000), outcome.retry_after)

    def _attempt(self, url: str, body: bytes, headers: Mapping[str, str], until: float) -> Outcome:
        try:
            parsed = parse_url(url, self._allowed)
            connected = self._connect(parsed, self._checked(parsed), until)
        except InvalidInput:
            return Outcome(Result.INVALID_URL)
        except Refused as refused:
            return Outcome(refused.result)
        same = connected.dup()  # TLS takes over the socket object, so the timer needs its own
        late = threading.Timer(max(0.0, until - time.monotonic()), _end, [same])
        late.start()
        try:
            return self._request(connected, parsed, body, headers, until)
        finally:
            late.cancel()
            same.close()
            connected.close()

    def _checked(self, url: WebhookUrl) -> Sequence[str]:
        """Return the addresses of the host, all of which are public. Raise `Refused`."""
        try:
            addresses = self._resolve(url.host, url.port)
            parsed = [parse_address(address) for address in addresses]
        except (OSError, ValueError, UnicodeError):
            raise Refused(Result.NAME_NOT_RESOLVED) from None
        if not parsed:
            raise Refused(Result.NAME_NOT_RESOLVED)
        if self._allowed and url.is_local:
            permitted = [address.is_loopback for address in parsed]
        else:
            permitted = [is_public(address) for address in parsed]
        if not all(permitted):
            raise Refused(Result.ADDRESS_NOT_PUBLIC)
        return addresses

    def _connect(self, url: WebhookUrl, addresses: Sequence[str], until: float) -> socket.socket:
        """Connect to the first address that accepts. Raise `Refused`."""
        result = Result.CONNECTION_FAILED
        for address in addresses:
            try:
                return socket.create_connection((address, url.port), timeout=min(_CONNECT, _left(until)))
            except TimeoutError:
                result = Result.TIMEOUT
            except OSError:
                result = Result.CONNECTION_FAILED
        raise Refused(result)

    def _request(
        self, connected: socket.socket, url: WebhookUrl, body: bytes, headers: Mapping[str, str], until: float
    ) -> Outcome:
        try:
            connected.settimeout(_left(until))
            with _trust(self._allowed if url.is_local else None).wrap_socket(
                connected, server_hostname=url.host
            ) as encrypted:
                encrypted.settimeout(_left(until))
                outcome = _exchange(encrypted, url, body, headers)
            # If `_end` closes the connection, an incomplete response looks complete.
            return Outcome(Result.TIMEOUT) if time.monotonic() >= until else outcome
        except ssl.SSLError as error:
            return Outcome(_late(until, Result.TIMEOUT if isinstance(error, TimeoutError) else Result.TLS_FAILED))
        except TimeoutError:
            return Outcome(Result.TIMEOUT)
        except (OSError, http.client.HTTPException, ValueError) as error:
            not_http = isinstance(error, http.client.HTTPException) and not isinstance(error, OSError)
            return Outcome(_late(until, Result.BAD_RESPONSE if not_http else Result.CONNECTION_FAILED))


def _exchange(encrypted: ssl.SSLSocket, url: WebhookUrl, body: bytes, headers: Mapping[str, str]) -> Outcome:
    connection = http.client.HTTPSConnection(url.host, url.port)
    connection.sock = encrypted
    connection.putrequest("POST", url.target, skip_host=True, skip_accept_encoding=True)
    fixed = {"Host": url.authority, "User-Agent": _AGENT, "Content-Type": "application/json", "Connection": "close"}
    for name, value in {**fixed, "Content-Length": str(len(body)), **headers}.items():
        connection.putheader(name, value)
    connection.endheaders(body)
    response = connection.getresponse()
    return _outcome(response.status, response.getheader("Retry-After"))


def _outcome(status: int, retry_after: str | None) -> Outcome:
    seconds = None
    if retry_after is not None and retry_after.isascii() and retry_after.isdigit():
        seconds = int(retry_after) if len(retry_after) <= _MAX_RETRY_AFTER else None
    if 200 <= status < 300:
        return Outcome(Result.DELIVERED, status)
    if 300 <= status < 400:
        return Outcome(Result.REDIRECTED, status)
    return Outcome(Result.GONE if status == _GONE else Result.REJECTED, status, retry_after=seconds)


def _end(connected: socket.socket) -> None:
    """End a connection that has used up its time, so that a receiver that sends one byte at a time does not block a
    thread."""
    try:
        connected.shutdown(socket.SHUT_RDWR)
    except OSError:
        return


def _left(until: float) -> float:
    return max(0.001, until - time.monotonic())


def _late(until: float, result: Result) -> Result:
    return Result.TIMEOUT if time.monotonic() >= until else result


@cache
def _public_trust() -> ssl.SSLContext:
    context = ssl.create_default_context()
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    return context


def _trust(allowed: Loopback | None) -> ssl.SSLContext:
    """Return the public CAs; for a receiver on this machine, also those of its file, as it is now."""
    if allowed is None or not allowed.roots.exists():
        return _public_trust()
    context = ssl.create_default_context()
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.load_verify_locations(cafile=str(allowed.roots))
    return context
