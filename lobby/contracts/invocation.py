"""Requests from one Lambda to another: how they are sent, and how their JSON is read.

`lobby.contracts.targets` defines the messages. Decoding rejects every other shape (`MalformedMessage`). A Lambda that
cannot serve a request answers with a code and a message (`encode_refusal`); `invoke` raises these as `RequestRefused`.
"""

import json
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Protocol, TypeVar

from botocore.exceptions import BotoCoreError, ClientError

from lobby import strict_json
from lobby.errors import LobbyError
from lobby.names import shown

if TYPE_CHECKING:
    from types_boto3_lambda import LambdaClient

R = TypeVar("R")
R_co = TypeVar("R_co", covariant=True)
Body = Mapping[str, Any]


class MalformedMessage(ValueError):
    """A message does not have the agreed shape."""


class InvocationFailed(Exception):
    """The Lambda did not answer, was not run, for example because it was throttled, or its run failed."""


class RequestRefused(LobbyError):
    """The Lambda received the request and cannot serve it; `code` is the reason."""


class Request(Protocol[R_co]):
    """A message to a Lambda, with the decoder of its response."""

    def encode(self) -> dict[str, Any]: ...

    def decode_response(self, body: Body) -> R_co: ...


class Send(Protocol):
    """Sends a request and returns the response."""

    def __call__(self, request: Request[R]) -> R: ...


def invoke(client: "LambdaClient", function: str, request: Request[R]) -> R:
    """Invoke `function` and return its response. Raise `InvocationFailed`, `RequestRefused` or `MalformedMessage`."""
    try:
        answer = client.invoke(FunctionName=function, Payload=json.dumps(request.encode()).encode())
        payload = answer["Payload"].read()
    except (BotoCoreError, ClientError) as error:
        raise InvocationFailed(f"{function} did not answer: {error}"[:400]) from error
    if answer.get("FunctionError"):
        raise InvocationFailed(f"{function} failed: {payload[:500]!r}")
    try:
        body = strict_json.loads(payload)
    except ValueError as error:
        raise MalformedMessage(f"got {shown(payload[:60])}, want JSON ({error})") from None
    return decode_response(request, body)


def decode_response(request: Request[R], body: object) -> R:
    """Return the response in `body`. Raise `RequestRefused` or `MalformedMessage`."""
    fields = object_of(body)
    refusal = fields.get("refused")
    if refusal is not None:
        raise RequestRefused(text_field(object_of(refusal), "code"), text_field(object_of(refusal), "message"))
    return request.decode_response(fields)


def encode_refusal(code: str, message: str) -> dict[str, Any]:
    return {"refused": {"code": code, "message": message}}


def object_of(value: object) -> Body:
    if not isinstance(value, dict):
        raise MalformedMessage(f"got {shown(value)}, want an object")
    return value


def field(fields: Body, key: str) -> Any:
    if key not in fields:
        raise MalformedMessage(f"got no {key} in {shown(dict(fields))}, want it")
    return fields[key]


def list_field(fields: Body, key: str) -> Sequence[Any]:
    values = field(fields, key)
    if not isinstance(values, list | tuple):
        raise MalformedMessage(f"got {key} {shown(values)}, want a list")
    return values


def list_of(fields: Body, key: str, decode: Callable[[Body], R]) -> tuple[R, ...]:
    return tuple(decode(object_of(each)) for each in list_field(fields, key))


def as_text(value: object) -> str:
    if not isinstance(value, str):
        raise MalformedMessage(f"got {shown(value)}, want text")
    return value


def text_field(fields: Body, key: str) -> str:
    return as_text(field(fields, key))


def optional_text_field(fields: Body, key: str) -> str | None:
    return None if fields.get(key) is None else text_field(fields, key)


def flag_field(fields: Body, key: str) -> bool:
    value = field(fields, key)
    if not isinstance(value, bool):
        raise MalformedMessage(f"got {key} {shown(value)}, want true or false")
    return value
