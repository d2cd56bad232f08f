"""ListNamedShadowsForThing of the emulator's data plane, and the size limit of shadows."""

import json
import uuid

import pytest
from botocore.exceptions import ClientError

from infra.local.emulator import Emulator
from infra.local.ministack.shadow_lists import MAX_BYTES, is_too_large, listed, thing_of
from tests.infra.local.emulated_cloud import aws


def state(value: object) -> bytes:
    return json.dumps({"state": {"reported": value}}).encode()


@pytest.mark.parametrize(
    ("path", "thing"),
    [
        ("/api/things/shadow/ListNamedShadowsForThing/a", "a"),
        ("/api/things/shadow/ListNamedShadowsForThing/a%3Ab", "a:b"),
        ("/api/things/shadow/ListNamedShadowsForThing/", None),
        ("/things/a/shadow", None),
    ],
)
def test_the_thing_is_found_in_the_path(path: str, thing: str | None) -> None:
    assert thing_of(path) == thing


@pytest.mark.parametrize("query", [{"pageSize": "0"}, {"pageSize": "101"}, {"pageSize": "x"}, {"nextToken": "x"}])
def test_an_invalid_page_is_refused(query: dict[str, str]) -> None:
    assert listed(["a"], query)[0] == 400


@pytest.mark.parametrize(
    ("body", "too_large"),
    [(state("x" * (MAX_BYTES - 20)), False), (state("x" * MAX_BYTES), True), (b"", False), (b"[]", False)],
)
def test_the_limit_is_that_of_the_state(body: bytes, *, too_large: bool) -> None:
    assert is_too_large(body) is too_large


def test_named_shadows_are_listed_in_pages_without_deleted_ones(emulator: Emulator) -> None:
    data, thing = aws(emulator, 0, "iot-data"), f"listed-{uuid.uuid4().hex[:8]}"
    for name in ("c", "a", "b", "d"):
        data.update_thing_shadow(thingName=thing, shadowName=name, payload=state(name))
    data.update_thing_shadow(thingName=thing, payload=state("classic"))
    data.delete_thing_shadow(thingName=thing, shadowName="d")
    first = data.list_named_shadows_for_thing(thingName=thing, pageSize=2)
    second = data.list_named_shadows_for_thing(thingName=thing, pageSize=2, nextToken=first["nextToken"])
    assert (first["results"], second["results"], "nextToken" in second) == (["a", "b"], ["c"], False)
    assert aws(emulator, 1, "iot-data").list_named_shadows_for_thing(thingName=thing)["results"] == []


def test_a_shadow_that_is_too_large_is_refused(emulator: Emulator) -> None:
    data = aws(emulator, 0, "iot-data")
    with pytest.raises(ClientError) as refused:
        data.update_thing_shadow(thingName="large", payload=state("x" * MAX_BYTES))
    assert refused.value.response["Error"]["Code"] == "RequestEntityTooLargeException"
