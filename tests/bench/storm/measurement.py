"""One measurement: register the devices' certificates as pending, let the devices connect, and count calls and runs."""

import json
import random
import re
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from tempfile import NamedTemporaryFile
from typing import Any, Final

from infra.doors.registration import WORKERS
from infra.local.manufacturer import new_name
from infra.local.ministack.quotas import RATES
from infra.local.strictness import RELAXED, STRICT
from lobby.names import Fingerprint
from pki.ca.keys import encode_device_key
from tests.bench.calls import calls_by
from tests.bench.deployment import LobbyUnderTest, wait_for
from tests.bench.storm.devices import TOPIC, Devices, earliest_end, first_attempts
from tests.e2e.bare_mqtt import BareMqtt

REAL_RULE: Final = "device_lobby_registered"
RULE: Final = "storm"
REGISTRATIONS: Final = "device-lobby-registrations"
UNDELIVERED: Final = "device-lobby-undelivered"
RATE: Final = min(RATES["iot:DescribeCertificate"], RATES["iot:UpdateCertificate"], RATES["iot:AttachPolicy"])
"""Devices per second that the quotas allow; as many are allowed at once at the start."""
_ALONE: Final = 15
_APART: Final = 1.0
"""Seconds between two single devices: a process of the bouncer has then saved up the time of a call."""
_WARM_UP: Final = 16
"""Devices that are admitted together before a storm, so that all functions have their processes."""
_WARM_UP_SECONDS: Final = 60.0
PERIOD: Final = 10.0
"""Seconds of a period in the profile of a storm."""


@dataclass(frozen=True, order=True)
class Alone:
    """The milliseconds from the event of a single device to its admission, and the bouncer's calls, without and with
    those of its queue."""

    ms: float
    calls: int
    queue_calls: int


@dataclass(frozen=True)
class Figures:
    """The result of a storm of `devices` with a `share` of AWS's rates. `seconds` is when the last one was admitted, or
    None. `runs` are the bouncer's; `examined` are its calls of DescribeCertificate that were not throttled. `profile`
    are the admissions in each `PERIOD`."""

    devices: int
    share: float
    admitted: int
    seconds: float | None
    limit: float
    attempts: int
    runs: int
    examined: int
    throttled: int
    undelivered: int
    alone_ms: float
    alone_calls: int
    alone_queue_calls: int
    profile: tuple[int, ...] = ()

    @property
    def runs_per_device(self) -> float:
        return round(self.runs / self.devices, 2)

    def as_json(self) -> dict[str, Any]:
        return asdict(self) | {"runs_per_device": self.runs_per_device}


def alone(storms: Mapping[str, "StormUnderTest"]) -> dict[str, "Alone"]:
    """Return how long a single device takes with each bouncer, without quotas and with warm Lambdas. The devices use
    the bouncers alternately, so that other load on the machine affects both equally. The results are medians."""
    found: dict[str, list[Alone]] = {name: [] for name in storms}
    for _ in range(_ALONE):
        for name, storm in storms.items():
            storm.select()
            time.sleep(_APART / len(storms))
            found[name].append(storm.one())
    return {name: sorted(each)[len(each) // 2] for name, each in found.items()}


class StormUnderTest:
    """A lobby in which the events of `storm/registered` go to the bouncer `function` by `action`, when it is selected.
    `share` is the share of AWS's rates, and of the bouncer's."""

    def __init__(self, lobby: LobbyUnderTest, function: str, action: dict[str, Any], share: float) -> None:
        self.lobby, self.function, self.share, self._action = lobby, function, share, action
        self._iot: Any = lobby.session.client("iot")
        self._data: Any = lobby.session.client("iot-data")

    def select(self) -> None:
        """Send the events to this bouncer, and those of real devices to none."""
        real = self._iot.get_topic_rule(ruleName=REAL_RULE)["rule"]
        payload = {
            "sql": f"SELECT * FROM '{TOPIC}'",  # noqa: S608  # SQL of AWS IoT's rules
            "awsIotSqlVersion": real["awsIotSqlVersion"],
            "actions": [self._action],
            "errorAction": real["errorAction"],
        }
        existing = [each["ruleName"] for each in self._iot.list_topic_rules()["rules"]]
        change = self._iot.replace_topic_rule if RULE in existing else self._iot.create_topic_rule
        change(ruleName=RULE, topicRulePayload=payload)
        self._iot.disable_topic_rule(ruleName=REAL_RULE)

    def measure(
        self, count: int, spread: float, patience: float, seed: int, alone: "Alone", *, warm: bool = True
    ) -> Figures:
        """Run the storm for at most `patience` times the physical limit: the time in which the quotas allow to admit
        these devices, as they connect, with the burst of one second that the quotas allow at the start. The limit
        contains no time for messages and processes. If `warm`, some devices are admitted first, so that the processes
        exist: on AWS they start on processors of their own, and here on those of the devices. `alone` is the result of
        a single device."""
        lobby = self.lobby
        self.select()
        self._set_pace()
        if warm:
            self._admit_at_once(_WARM_UP)
        certids = [self._pending() for _ in range(count)]
        lobby.wait_for_empty_queue(REGISTRATIONS)
        before, position, waiting = self._counted(), lobby.log.position(), lobby.queue_depths(UNDELIVERED)[0]
        times = first_attempts(count, spread, random.Random(seed).uniform)  # noqa: S311  # those of the storm
        limit = round(earliest_end(times, RATE, RATE * self.share), 1)
        lobby.local.emulator.enforce(replace(STRICT, rate_share=self.share))
        devices = Devices(certids, self._publish, Admissions(lobby, certids).__call__, spread)
        storm = devices.run(patience * limit, seed)
        admitted = len(storm.admitted)
        after, undelivered = self._counted(), lobby.queue_depths(UNDELIVERED)[0] - waiting
        lobby.local.emulator.enforce(RELAXED)
        calls = calls_by(lobby.log.since(position), "bouncer")
        examined = [call for call in calls if call.action == "iot:DescribeCertificate" and call.status == 200]
        return Figures(
            count,
            self.share,
            admitted,
            round(max(storm.admitted.values()), 1) if admitted == count else None,
            limit,
            storm.attempts,
            after[0] - before[0],
            len(examined),
            after[1] - before[1],
            undelivered,
            alone.ms,
            alone.calls,
            alone.queue_calls,
            storm.profile(PERIOD),
        )

    def _set_pace(self) -> None:
        """Give the bouncer its share of the rate, as the deployment does."""
        functions: Any = self.lobby.session.client("lambda")
        environment = functions.get_function_configuration(FunctionName=self.function)["Environment"]
        if "REGISTRATIONS_PER_SECOND" in environment["Variables"]:
            environment["Variables"]["REGISTRATIONS_PER_SECOND"] = f"{RATE * self.share / WORKERS:g}"
            functions.update_function_configuration(FunctionName=self.function, Environment=environment)

    def _admit_at_once(self, count: int) -> None:
        """Admit so many devices with the strict mode's lanes and without its quotas."""
        certids = [self._pending() for _ in range(count)]
        self.lobby.local.emulator.enforce(replace(STRICT, throttling=False))
        Devices(certids, self._publish, Admissions(self.lobby, certids), 0).run(_WARM_UP_SECONDS, seed=0)
        self.lobby.wait_for_empty_queue(REGISTRATIONS)
        self.lobby.local.emulator.enforce(RELAXED)

    def one(self) -> "Alone":
        """Admit a single device."""
        certid, position = self._pending(), self.lobby.log.position()
        admissions = Admissions(self.lobby, [certid])
        sent = datetime.now(UTC).timestamp()
        self._publish(json.dumps({"certificateId": certid}).encode())
        wait_for("the device is admitted", admissions)
        at = admissions()[certid]
        runs = self._counted()[0]
        wait_for("the run has ended", lambda: self._counted()[0] >= runs)
        self.lobby.wait_for_empty_queue(REGISTRATIONS)
        actions = [call.action for call in calls_by(self.lobby.log.since(position), "bouncer")]
        lease = [each for each in actions if each in ("dynamodb:PutItem", "dynamodb:UpdateItem")]
        return Alone(round((at - sent) * 1000), len(actions) - len(lease), len(lease))

    def _pending(self) -> Fingerprint:
        """Connect a new device for the first time: AWS IoT registers its certificate. No rule handles its event."""
        manufacturer, file = self.lobby.local.manufacturer, self.lobby.file
        device = manufacturer.authority().issue_device(new_name(), now=datetime.now(UTC))
        if device.private_key is None:
            raise AssertionError("an issued device has a key")
        with NamedTemporaryFile(dir=self.lobby.local.state) as credential:
            credential.write(device.chain_pem + encode_device_key(device.private_key))
            credential.flush()
            path = Path(credential.name)
            with BareMqtt(file.lobby_endpoint, file.mqtt_port, file.server_ca_path, path, path) as connection:
                connection.connect(device.name)
        return device.certid

    def _publish(self, event: bytes) -> None:
        self._data.publish(topic=TOPIC, qos=1, payload=event)

    def _counted(self) -> tuple[int, int]:
        """Return the runs of the bouncer, and the throttled calls to AWS IoT."""
        where = self.lobby.local.layout.lobby
        found = self.lobby.local.emulator.counters()
        calls, runs = (found[kind].get(str(where), {}) for kind in ("calls", "lambda"))
        throttled = sum(each["throttled"] for name, each in calls.items() if name.startswith("iot:"))
        return runs.get(self.function, {}).get("runs", 0), throttled


class Admissions:
    """When devices were admitted, from the access log: the bouncer's last call activates the certificate."""

    _ACTIVATED = re.compile(r"/certificates/([0-9a-f]{64})")

    def __init__(self, lobby: LobbyUnderTest, certids: Sequence[Fingerprint]) -> None:
        self._path, self._position = lobby.local.layout.access_log_path, lobby.log.position()
        self._wanted, self._found = frozenset(certids), dict[Fingerprint, float]()

    def __call__(self) -> dict[Fingerprint, float]:
        """Return the times (as `time.time`) by device."""
        with self._path.open("rb") as log:
            log.seek(self._position)
            new = log.read()
        complete = new[: new.rfind(b"\n") + 1]
        self._position += len(complete)
        self._found |= dict(self._activations(complete))
        return self._found

    def _activations(self, lines: bytes) -> Iterator[tuple[Fingerprint, float]]:
        for text in lines.splitlines():
            if b"iot:UpdateCertificate" not in text:
                continue
            line = json.loads(text)
            match = self._ACTIVATED.search(line["request"])
            if match and line["status"] == 200 and match[1] in self._wanted:
                yield Fingerprint(match[1]), line["time"] + line["ms"] / 1000
