"""Throttles AWS IoT calls and MQTT packets at AWS's default rates, in strict mode.

Difference from AWS: AWS IoT throttles each operation per account and Region (AWS General Reference, "AWS IoT Core
endpoints and quotas"). MiniStack accepts any rate.

An API call over the rate is answered with ThrottlingException, status 400 (control plane) or 429 (data plane), as the
API references state. A CONNECT over the rate ends the connection without CONNACK. A PUBLISH over the rate is discarded
without PUBACK, so that the client sends it again. A SUBSCRIBE over the rate ends the connection (AWS IoT developer
guide, "Lifecycle events", disconnect reason THROTTLED).

Unnecessary when: MiniStack has the quotas of AWS IoT.
"""

import json
import struct
from collections.abc import Awaitable, Callable
from typing import Any, Final

from infra.local.ministack import quotas
from infra.local.ministack.access_log import ACTION, DISPATCH, REGION, ROUTING, SERVICE
from infra.local.ministack.counters import Counters
from infra.local.ministack.endpoints import REGISTER, scope_of_connection
from infra.local.ministack.patch_points import PatchPoint
from infra.local.ministack.quotas import Buckets
from infra.local.strictness import CurrentStrictness

_IOT: Final = "ministack.services.iot"
PACKET: Final = PatchPoint(_IOT, "_WSSession._dispatch_packet", ("self", "pkt_type", "flags", "body"))
READ_STRING: Final = PatchPoint(_IOT, "_read_string", ("buf", "offset"))
ACCOUNT: Final = PatchPoint("ministack.core.responses", "get_account_id", ())
PATCH_POINTS: Final = (DISPATCH, SERVICE, ACTION, ROUTING, REGION, PACKET, READ_STRING, ACCOUNT, REGISTER)
_CONNECT, _PUBLISH, _SUBSCRIBE = 1, 3, 8
_PACKETS: Final = {_CONNECT: quotas.CONNECT, _PUBLISH: quotas.PUBLISH, _SUBSCRIBE: quotas.SUBSCRIBE}
_STATUS: Final = {"iot": 400, "iot-data": 429}
_PUBLISH_CALL: Final = "iot:Publish"
_CONNECT_FIELDS: Final = 4
"""Bytes of a CONNECT between the protocol's name and the properties or client id: level, flags, keep alive."""


def apply(current: CurrentStrictness, buckets: Buckets, counters: Counters) -> None:
    """Throttle calls and packets while this is enabled in the settings. Packets are always counted."""
    DISPATCH.wrap(lambda original: _throttling(original, current, buckets))
    REGISTER.wrap(lambda original: _throttling_registration(original, current, buckets, counters))
    PACKET.wrap(lambda original: _throttling_packets(original, current, buckets, counters))


def _throttling(
    original: Callable[..., Awaitable[Any]], current: CurrentStrictness, buckets: Buckets
) -> Callable[..., Awaitable[Any]]:
    async def dispatch(method: str, path: str, headers: Any, body: bytes, query_params: Any, request_id: str) -> Any:
        if current().throttling:
            params = ROUTING.resolve()(method, path, headers, body, query_params)
            service = SERVICE.resolve()(method, path, headers, params)
            if service in _STATUS:
                action = ACTION.resolve()(service, method, path, headers, body, params) or service
                operation = quotas.PUBLISH if action == _PUBLISH_CALL else action
                region = REGION.resolve()(headers, query_params)
                if not buckets.take(operation, ACCOUNT.resolve()(), region, share=current().rate_share):
                    return _exception(service, request_id)
        return await original(method, path, headers, body, query_params, request_id)

    return dispatch


def _exception(service: str, request_id: str) -> tuple[int, dict[str, str], bytes]:
    headers = {
        "Content-Type": "application/json",
        "x-amzn-ErrorType": "ThrottlingException",
        "x-amzn-requestid": request_id,
    }
    return _STATUS[service], headers, json.dumps({"message": "Rate exceeded"}).encode()


def _throttling_registration(
    original: Callable[..., Awaitable[bool]], current: CurrentStrictness, buckets: Buckets, counters: Counters
) -> Callable[..., Awaitable[bool]]:
    """Throttle the CONNECT packets of unregistered certificates, which no session handles."""

    async def register(der: bytes, peername: Any, server_name: str | None = None) -> bool:
        scope = scope_of_connection()
        if scope is None:
            return await original(der, peername, server_name)
        throttled = current().throttling and not buckets.take(quotas.CONNECT, scope.account, scope.region)
        counters.call(scope.account, scope.region, quotas.CONNECT, failed=True, throttled=throttled)
        return throttled or await original(der, peername, server_name)

    return register


def _throttling_packets(
    original: Callable[..., Awaitable[bool]], current: CurrentStrictness, buckets: Buckets, counters: Counters
) -> Callable[..., Awaitable[bool]]:
    async def dispatch_packet(self: Any, pkt_type: int, flags: int, body: bytes) -> bool:
        operation = _PACKETS.get(pkt_type)
        if operation is None:
            return await original(self, pkt_type, flags, body)
        throttled = current().throttling and not _admitted(buckets, operation, self, pkt_type, body)
        counters.call(self.account_id, self.region, operation, throttled=throttled)
        if not throttled:
            return await original(self, pkt_type, flags, body)
        if pkt_type == _SUBSCRIBE:
            self._forced_disconnect_reason = "THROTTLED"
        return pkt_type == _PUBLISH

    return dispatch_packet


def _admitted(buckets: Buckets, operation: str, session: Any, packet: int, body: bytes) -> bool:
    scope = (session.account_id, session.region)
    if packet == _CONNECT and not buckets.take(quotas.CONNECT_OF_CLIENT, *scope, client_id(body)):
        return False
    if packet == _PUBLISH and not buckets.take(quotas.PUBLISH_OF_CONNECTION, *scope, session._session_identifier):
        return False
    return buckets.take(operation, *scope)


def client_id(connect: bytes) -> str:
    """Return the client id in the body of a CONNECT packet, or "" if it is malformed, which MiniStack then refuses."""
    try:
        read = READ_STRING.resolve()
        _name, offset = read(connect, 0)
        level = connect[offset]
        offset += _CONNECT_FIELDS
        if level == 5:  # MQTT 5 has properties before the client id
            length, offset = _variable_integer(connect, offset)
            offset += length
        return str(read(connect, offset)[0])
    except (ValueError, IndexError, struct.error):
        return ""


def _variable_integer(body: bytes, offset: int) -> tuple[int, int]:
    value, shift = 0, 0
    while True:
        byte = body[offset]
        offset += 1
        value |= (byte & 0x7F) << shift
        if byte < 0x80:  # the top bit says that another byte follows
            return value, offset
        shift += 7
