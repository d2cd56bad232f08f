"""The paced registry reads all pages of a list, and counts the calls with their repetitions."""

from typing import Any

import pytest

from infra.teardown.pacing import Pacer
from infra.teardown.registry import Registry
from tests.aws import HOME


class Iot:
    """AWS IoT with two pages of each list. `sent` are the parameters of each call."""

    def __init__(self) -> None:
        self.sent: list[dict[str, Any]] = []

    def list_things(self, **sent: Any) -> dict[str, Any]:
        return self._page("things", "nextToken", "nextToken", sent)

    def list_certificates(self, **sent: Any) -> dict[str, Any]:
        return self._page("certificates", "nextMarker", "marker", sent)

    def delete_thing(self, **sent: Any) -> dict[str, Any]:
        self.sent.append(sent)
        return {"ResponseMetadata": {"RetryAttempts": 2}}

    def _page(self, key: str, token: str, parameter: str, sent: dict[str, Any]) -> dict[str, Any]:
        self.sent.append(sent)
        return {key: [2]} if parameter in sent else {key: [1], token: "more"}


def registry(iot: Any) -> Registry:
    return Registry(iot, HOME, Pacer(sleep=lambda _seconds: None))


@pytest.mark.parametrize(
    ("operation", "key", "sent"),
    [
        ("ListThings", "things", [{"maxResults": 250}, {"maxResults": 250, "nextToken": "more"}]),
        ("ListCertificates", "certificates", [{"pageSize": 250}, {"pageSize": 250, "marker": "more"}]),
    ],
)
def test_every_page_is_read_with_the_parameters_of_its_list(operation: str, key: str, sent: list[Any]) -> None:
    iot = Iot()
    assert list(registry(iot).listed(operation, key)) == [1, 2]
    assert iot.sent == sent


def test_repetitions_of_throttled_calls_are_counted() -> None:
    found = registry(Iot())
    found.call("DeleteThing", thingName="sensor-1")
    assert found.calls == {"DeleteThing": 3}
