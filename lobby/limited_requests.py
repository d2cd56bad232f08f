"""The limits of a whole request to AWS: time, and size of the response (`lobby.http_limits`).

botocore limits the wait for each packet only, and reads a body of any size. A client that `limit_requests` was applied
to fails for a response that is too large, or not complete in time; the caller states the errors. Objects in a bucket
have limits of their own, because they can be large, and the time to send one depends on its size. Used by `lobby-pki`
and the deployment, not by the Lambdas.
"""

import io
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from queue import Empty, SimpleQueue
from typing import Any, Final, TypeVar
from urllib.parse import urlsplit

from botocore.awsrequest import AWSResponse
from botocore.exceptions import ConnectionClosedError, ReadTimeoutError
from urllib3.exceptions import HTTPError
from urllib3.exceptions import TimeoutError as PacketTimeout

from lobby.http_limits import MAX_BODY, REQUEST_SECONDS

_CHUNK: Final = 64 * 1024
_UPLOAD: Final = 32 * 1024
"""Bytes per second that a body may take, in addition to the time of a request."""
_Result = TypeVar("_Result")


@dataclass(frozen=True)
class Limits:
    """Seconds and bytes: of a response, and of an object in a bucket."""

    seconds: float = REQUEST_SECONDS
    size: int = MAX_BODY
    object_seconds: float = 600.0
    object_size: int = 1 << 28


@dataclass(frozen=True)
class Failures:
    """The errors to raise. botocore repeats a request after some of its own errors, and after no other."""

    late: Callable[[str, float], Exception]
    """For a response that is not complete in time, by the server and the seconds."""
    large: Callable[[int], Exception]
    """For a response of more bytes than this."""


LIMITS: Final = Limits()


def limit_requests(client: Any, failures: Failures, limits: Limits = LIMITS) -> Any:
    """Return the client, whose requests are limited from now on."""
    endpoint = client._endpoint  # botocore has no other way to the session of an existing client
    endpoint.http_session = _LimitedSession(endpoint.http_session, failures, limits)
    return client


class _LimitedSession:
    """An HTTP session of botocore. It reads the body of each response, even if the caller wants to stream it."""

    def __init__(self, session: Any, failures: Failures, limits: Limits) -> None:
        self._session, self._failures, self._limits = session, failures, limits

    def send(self, request: Any) -> AWSResponse:
        seconds, size = self._limits.seconds + _sent(request) // _UPLOAD, self._limits.size
        if request.stream_output:
            seconds, size = self._limits.object_seconds, self._limits.object_size
        request.stream_output = True  # otherwise the session reads the body, of any size
        late = self._failures.late(urlsplit(request.url).netloc, seconds)
        large = self._failures.large(size)
        try:
            return _within(seconds, lambda: _complete(self._session.send(request), request, size, large), late)
        except ReadTimeoutError:
            raise late from None

    def close(self) -> None:
        self._session.close()


def _sent(request: Any) -> int:
    """Return the size of the request's body. S3's checksums can be sent after it, with another length of the whole."""
    return int(request.headers.get("X-Amz-Decoded-Content-Length") or request.headers.get("Content-Length") or 0)


def _complete(response: AWSResponse, request: Any, size: int, large: Exception) -> AWSResponse:
    """Return the response with its whole body."""
    body = bytearray()
    try:
        for chunk in response.raw.stream(_CHUNK):
            body += chunk
            if len(body) > size:
                response.raw.close()
                raise large
    except PacketTimeout as error:
        raise ReadTimeoutError(endpoint_url=request.url, error=error) from error
    except HTTPError as error:
        raise ConnectionClosedError(endpoint_url=request.url, error=error, request=request) from error
    headers: Any = response.headers
    return AWSResponse(response.url, response.status_code, headers, _Body(bytes(body)))


class _Body(io.BytesIO):
    """A body that was read, in the form of urllib3's responses."""

    def stream(self, size: int = _CHUNK) -> Iterator[bytes]:
        while chunk := self.read(size):
            yield chunk


def _within(seconds: float, work: Callable[[], _Result], late: Exception) -> _Result:
    """Return the result of `work`, or raise its error; raise `late` if there is neither in time. The thread that does
    it then waits until the command ends, which it does not prevent."""
    results: SimpleQueue[tuple[_Result | None, BaseException | None]] = SimpleQueue()

    def run() -> None:
        try:
            results.put((work(), None))
        except BaseException as error:  # noqa: BLE001  # raised below, in the other thread
            results.put((None, error))

    threading.Thread(target=run, daemon=True).start()
    try:
        result, error = results.get(timeout=seconds)
    except Empty:
        raise late from None
    if error is not None:
        raise error
    return result  # type: ignore[return-value]  # there is one without an error
