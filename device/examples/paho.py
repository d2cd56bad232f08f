"""A device client of docs/device-protocol.md with paho-mqtt only: NAME CERTIFICATE KEY CA LOBBY PORT ROUTE_FILE"""

import contextlib
import json
import os
import random
import re
import sys
import time
from pathlib import Path
from typing import Any

sys.path.pop(0)  # the folder of this file, which has the name of the package
from paho.mqtt import client as mqtt

NAME, CERTIFICATE, KEY, CA, LOBBY, PORT, FILE = sys.argv[1:8]
FIRST_WAIT, STABLE = float(os.environ.get("FIRST_WAIT", "1.5")), float(os.environ.get("STABLE", "30"))  # seconds
HOST = r"(?=.{1,253}\Z)[A-Za-z0-9][A-Za-z0-9-]{0,62}(\.[A-Za-z0-9][A-Za-z0-9-]{0,62})*"


def store(route: dict[str, Any]) -> None:  # atomically: a power cut leaves the old route or the new one
    with Path(f"{FILE}.new").open("w") as file:
        print(json.dumps(route), file=file, flush=True)
        os.fsync(file.fileno())
    Path(f"{FILE}.new").replace(FILE)


def next_route(payload: bytes, route: dict[str, Any], in_lobby: bool, port: int, not_before: float) -> Any:
    """Return the route after a message; empty after a reset, None if the message changes nothing or is not valid."""
    with contextlib.suppress(ValueError, TypeError, RecursionError):  # another message than the protocol's
        message: dict[str, Any] = {"config": "default", "port": port, "generation": None} | json.loads(payload)
        if message["config"] == "factory reset":
            return {}
        if in_lobby and "iotep" not in message and re.fullmatch("[0-9]{8}", message.get("presence", "")):
            print("presence code:", message["presence"], flush=True)
        host, at, number, config = (message.get(each) for each in ("iotep", "port", "generation", "config"))
        right = isinstance(config, str | dict) and type(at) is type(number or 0) is int and 0 < at < 65536
        known = {**message, "standby": 0} == {**route, "standby": 0} and (not in_lobby or time.monotonic() < not_before)
        elsewhere = not in_lobby and (host, at) != (route["iotep"], route["port"])
        old = (number or 0) < max(0, route.get("generation") or 0) and not (in_lobby and number is None)
        return message if right and re.fullmatch(HOST, host or "") and not (known or elsewhere or old) else None


def session(route: dict[str, Any], in_lobby: bool, not_before: float) -> tuple[Any, float]:
    """Return the next route (None: the connection has failed), and the seconds for which the connection was ready."""
    host, port = (LOBBY, int(PORT)) if in_lobby else (route["iotep"], route["port"])
    received, ready, waited, hello = list[Any](), list[float](), -1.0, 0.0
    client = mqtt.Client(mqtt.CallbackAPIVersion.VERSION2, NAME, clean_session=True)  # type: ignore[attr-defined]
    client.tls_set(CA, CERTIFICATE, KEY, alpn_protocols=None if port == 8883 else ["x-amzn-mqtt-ca"])  # also sends SNI
    client.on_connect = lambda *_: client.subscribe(f"lobby/{NAME}", qos=1) and None
    client.on_subscribe = lambda *_: ready.append(time.monotonic())
    client.on_message = lambda _client, _user, message: received.append(message.payload)
    client.connect(host, port, keepalive=30)
    while client.loop(0.2) == mqtt.MQTT_ERR_SUCCESS:
        waited = time.monotonic() - ready[0] if ready else -1.0
        if in_lobby and waited >= hello:
            client.publish("$aws/rules/lobby", '{"version": "paho example", "presence": true}', qos=1)
            hello = waited + (60 if waited < 600 else 900 if waited < 7200 else 3600)
        while received:
            if (found := next_route(received.pop(0), route, in_lobby, port, not_before)) is not None:
                client.disconnect()
                return found, waited
    return None, waited


stored = Path(FILE).read_bytes() if Path(FILE).exists() else b""  # no route yet; a damaged one is not followed
route, fallback, failures, not_before = next_route(stored, {}, True, int(PORT), 0.0) or {}, False, 0, 0.0
while True:
    found, lasted = None, 0.0
    try:
        found, lasted = session(route, fallback or not route, not_before)
    except (OSError, ValueError) as error:
        print("no connection:", error, flush=True)
    failures = 0 if lasted > STABLE or found is not None else failures + 1
    if found is not None:
        store(route := found)
        fallback = False
    elif route and failures and failures % 10 == 0:
        fallback, not_before = not fallback, time.monotonic() + random.uniform(15, 30)  # noqa: S311  # jitter
    time.sleep(random.uniform(0.5, 1) * min(60.0, FIRST_WAIT * 2 ** min(failures - 1, 9)) if failures else 0)  # noqa: S311
