"""The quotas of AWS IoT: token buckets, ThrottlingException, and MQTT packets over the rate."""

import asyncio
import re
import struct
from collections.abc import Coroutine, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from botocore.config import Config
from botocore.exceptions import ClientError

from infra.local.emulator import Emulator
from infra.local.ministack import quotas, throttling
from infra.local.ministack.counters import Counters
from infra.local.ministack.quotas import Buckets
from infra.local.strictness import RELAXED, STRICT, CurrentStrictness, Strictness

ROOT = Path(__file__).parents[3]
GRANTS = ("infra/parts/permissions.py", "infra/role_stack.py", "commissioner/target_gateway/session_policies.py")
"""The files that grant the operations that the lobby calls."""
SHADOWS = {"GetThingShadow", "UpdateThingShadow", "DeleteThingShadow", "ListNamedShadowsForThing"}
DATA_PLANE = {"Publish", "DeleteConnection", *SHADOWS}
CONNECT, PUBLISH, SUBSCRIBE, PING = 1, 3, 8, 12
SCOPE = ("100000000001", "us-east-1")


class Clock:
    now = 100.0

    def __call__(self) -> float:
        return self.now


class Broker:
    """MiniStack's packet handler, behind the patch."""

    def __init__(self, tmp_path: Path, strictness: Strictness) -> None:
        strictness.write(tmp_path)
        self.handled: list[int] = []
        self.clock, self.counters = Clock(), Counters()
        buckets = Buckets(self.clock)
        self._dispatch = throttling._throttling_packets(
            self._original, CurrentStrictness(tmp_path), buckets, self.counters
        )

    async def _original(self, _session: Any, kind: int, _flags: int, _body: bytes) -> bool:
        self.handled.append(kind)
        return True

    def receive(self, session: Any, kind: int, body: bytes = b"") -> bool:
        """Return whether the connection stays open."""
        handling: Coroutine[Any, Any, bool] = self._dispatch(session, kind, 0, body)  # type: ignore[assignment]
        return asyncio.run(handling)


def session(identifier: str = "s") -> Any:
    return SimpleNamespace(
        account_id=SCOPE[0], region=SCOPE[1], _session_identifier=identifier, _forced_disconnect_reason=None
    )


def connect(name: str, level: int = 4) -> bytes:
    properties = b"\x05\x11\x00\x00\x00\x0a" if level == 5 else b""
    text = name.encode()
    fields = b"\x00\x04MQTT" + bytes([level, 2]) + struct.pack("!H", 60)
    return fields + properties + struct.pack("!H", len(text)) + text


def test_a_bucket_holds_a_second_and_refills_at_its_rate() -> None:
    clock = Clock()
    buckets = Buckets(clock)
    assert [buckets.take("iot:AttachPolicy", *SCOPE) for _ in range(16)] == [True] * 15 + [False]
    clock.now += 0.2
    assert [buckets.take("iot:AttachPolicy", *SCOPE) for _ in range(4)] == [True] * 3 + [False]
    clock.now += 60
    assert sum(buckets.take("iot:AttachPolicy", *SCOPE) for _ in range(100)) == 15


def test_operations_accounts_and_regions_have_their_own_buckets() -> None:
    buckets = Buckets(Clock())
    while buckets.take("iot:UpdateCertificate", *SCOPE):
        pass
    assert buckets.take("iot:DescribeCertificate", *SCOPE)
    assert buckets.take("iot:UpdateCertificate", SCOPE[0], "eu-west-1")
    assert buckets.take("iot:UpdateCertificate", "200000000002", SCOPE[1])


def test_every_control_plane_operation_of_the_lobby_has_a_rate() -> None:
    named = {name for path in GRANTS for name in re.findall(r'"iot:([A-Z][A-Za-z]+)"', (ROOT / path).read_text())}
    assert {name for name in named - DATA_PLANE if f"iot:{name}" not in quotas.RATES} == set()
    assert named > DATA_PLANE


@pytest.mark.parametrize("level", [4, 5])
def test_the_client_id_of_a_connect_packet_is_found(level: int) -> None:
    assert throttling.client_id(connect("sensor-1", level)) == "sensor-1"


def test_a_malformed_connect_packet_has_no_client_id() -> None:
    assert [throttling.client_id(connect("sensor-1")[:length]) for length in range(8)] == [""] * 8


def test_a_client_that_connects_twice_in_a_second_is_disconnected(tmp_path: Path) -> None:
    broker = Broker(tmp_path, STRICT)
    assert broker.receive(session(), CONNECT, connect("a"))
    assert not broker.receive(session(), CONNECT, connect("a"))
    assert broker.receive(session(), CONNECT, connect("b"))
    broker.clock.now += 1
    assert broker.receive(session(), CONNECT, connect("a"))
    assert broker.handled == [CONNECT] * 3


def test_a_publish_over_the_rate_is_discarded_and_the_connection_stays(tmp_path: Path) -> None:
    broker = Broker(tmp_path, STRICT)
    assert all(broker.receive(session("one"), PUBLISH) for _ in range(150))
    assert len(broker.handled) == quotas.RATES[quotas.PUBLISH_OF_CONNECTION]
    assert broker.receive(session("two"), PUBLISH)
    assert len(broker.handled) == quotas.RATES[quotas.PUBLISH_OF_CONNECTION] + 1


def test_a_subscribe_over_the_rate_ends_the_connection(tmp_path: Path) -> None:
    broker, last = Broker(tmp_path, STRICT), session()
    assert all(broker.receive(session(), SUBSCRIBE) for _ in range(500))
    assert not broker.receive(last, SUBSCRIBE)
    assert last._forced_disconnect_reason == "THROTTLED"


def test_without_strict_mode_packets_are_only_counted(tmp_path: Path) -> None:
    broker = Broker(tmp_path, RELAXED)
    assert all(broker.receive(session(), kind, connect("a")) for kind in (CONNECT, CONNECT, PING))
    assert broker.handled == [CONNECT, CONNECT, PING]
    assert '"mqtt:Connect": {"calls": 2, "failed": 0, "throttled": 0}' in broker.counters.to_json()


@pytest.fixture
def strict(emulator: Emulator) -> Iterator[Emulator]:
    emulator.enforce(Strictness(throttling=True))
    yield emulator
    emulator.enforce(RELAXED)


def test_calls_over_the_rate_are_throttled_and_counted(strict: Emulator) -> None:
    scope, before = strict.layout.lobby, _throttled(strict)
    config = Config(retries={"mode": "standard", "total_max_attempts": 1}, max_pool_connections=8)
    iot = strict.session(scope.account, scope.region).client("iot", config=config)

    def call(_number: int) -> tuple[str, int, str]:
        with pytest.raises(ClientError) as refused:
            iot.describe_certificate(certificateId="0" * 64)
        error = refused.value.response
        return error["Error"]["Code"], error["ResponseMetadata"]["HTTPStatusCode"], error["Error"]["Message"]

    with ThreadPoolExecutor(8) as threads:
        answers = [*threads.map(call, range(60))]
    throttled = answers.count(("ThrottlingException", 400, "Rate exceeded"))
    assert {code for code, _status, _message in answers} == {"ThrottlingException", "ResourceNotFoundException"}
    assert _throttled(strict) == before + throttled > before


def test_the_data_plane_answers_with_its_own_status() -> None:
    status, headers, body = throttling._exception("iot-data", "id")
    assert (status, headers["x-amzn-ErrorType"], body) == (429, "ThrottlingException", b'{"message": "Rate exceeded"}')


def _throttled(emulator: Emulator) -> int:
    return sum(
        operations["iot:DescribeCertificate"]["throttled"]
        for operations in emulator.counters()["calls"].values()
        if "iot:DescribeCertificate" in operations
    )
