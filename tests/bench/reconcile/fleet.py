"""A fleet on moto, placed in one target, with some differences; and the three lists of AWS IoT in pages.

The devices are copies of one that was commissioned by the code under test: its row, certificate, thing and policy.
"""

import copy
import hashlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Final

from moto.dynamodb.models import dynamodb_backends
from moto.iot.models import iot_backends

from commissioner.target_gateway.registry import certificate_arn
from lobby.names import Fingerprint
from tests import aws
from tests.aws import LOBBY, REGION, Calls, Clock
from tests.functional.commissioner.lobby_with_targets import ONE, A, LobbyWithTargets, make_thing

_POLICY: Final = "device-lobby-default"
_CERTIFICATES_PAGE: Final = ("certificates", "pageSize", "marker", "nextMarker")
_TARGETS_PAGE: Final = ("targets", "pageSize", "marker", "nextMarker")


@dataclass(frozen=True)
class Fleet:
    lobby: LobbyWithTargets
    calls: Calls
    certids: list[Fingerprint]


@contextmanager
def fleet(devices: int, differing: int) -> Iterator[Fleet]:
    """Yield a target with this many devices. The first `differing` of them have an inactive certificate."""
    with aws.aws() as calls:
        lobby = LobbyWithTargets(calls, Clock(), "sensor-1")
        lobby.start_placed(ONE)
        with calls.uncounted():
            certids = [ONE, *(_copied(number) for number in range(2, devices + 1))]
            for certid in certids[:differing]:
                iot_backends[A.account][A.region].certificates[certid].status = "INACTIVE"
        calls.instead["ListCertificates"] = lambda params, call: _page(params, call, *_CERTIFICATES_PAGE)
        calls.instead["ListTargetsForPolicy"] = lambda params, call: _page(params, call, *_TARGETS_PAGE)
        calls.forget()
        yield Fleet(lobby, calls, certids)


def _copied(number: int) -> Fingerprint:
    certid, name = Fingerprint(hashlib.sha256(str(number).encode()).hexdigest()), f"sensor-{number}"
    item = copy.deepcopy(aws.item(ONE) if number == 2 else _ROW)
    assert item is not None
    _ROW.update(item)
    item |= {
        "certid": {"S": certid},
        "printhead": {"S": certid[:4]},
        "devicename": {"S": name},
        "enteredat": {"S": f"2026-11-22T12:{number // 60 % 60:02}:{number % 60:02}.{number // 3600:03}Z"},
    }
    dynamodb_backends[LOBBY][REGION].put_item("device-lobby-ledger", item)
    registry, arn = iot_backends[A.account][A.region], certificate_arn(A, certid)
    certificate = copy.copy(registry.certificates[ONE])
    certificate.certificate_id, certificate.arn = certid, arn
    registry.certificates[certid] = certificate
    make_thing(registry, name, certid=certid)
    registry.attach_thing_principal(name, arn)
    registry.attach_policy(_POLICY, arn)
    return certid


_ROW: Final[dict[str, Any]] = {}
"""The row of the first device, once it was read."""


def _page(params: dict[str, Any], call: Callable[[], Any], name: str, size: str, token: str, following: str) -> Any:
    response = call()
    elements, begin = response[name], int(params.get(token, "0"))
    end = begin + params[size]
    return response | {name: elements[begin:end]} | ({following: str(end)} if end < len(elements) else {})
