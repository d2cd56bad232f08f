"""The ledger compared with a target: each difference is made, found, and mended or left alone."""

from collections.abc import Callable, Iterator
from dataclasses import asdict, replace
from typing import Any, TypeVar

import pytest
from botocore.exceptions import ClientError
from moto.iot.models import IoTBackend, iot_backends

from commissioner import reconciliation as module
from commissioner.comparison import REPAIRS, Code, Repair
from commissioner.inspector_client import Inquiry, TargetRefused
from commissioner.lambdas.inspector import Inspector
from commissioner.reconciliation import Page, Reconciliation, reported
from commissioner.target_gateway.registry import certificate_arn
from lobby.domain.states import State
from lobby.domain.transitions import ClaimRequest
from lobby.errors import InvalidInput
from lobby.invocation import Request, decode_response
from lobby.ledger.targets import Targets
from tests import aws
from tests.aws import Calls, Clock
from tests.functional.commissioner.workshop import ANN, ONE, THREE, TWO, A, B, Workshop, make_thing, statuses

R = TypeVar("R")
ARN = certificate_arn(A, ONE)


class Office:
    """A reconciliation, and two devices that have their place in A."""

    def __init__(self, shop: Workshop) -> None:
        self.shop = shop
        self.inspector = Inspector(Targets.read_only(), aws.client("sts"))
        self.meanwhile: Callable[[dict[str, Any]], object] = lambda _event: None
        self.reconciliation = Reconciliation(shop.ledger, Inquiry(self._send))

    def _send(self, request: Request[R]) -> R:
        answer = self.inspector.answer(request.encode())
        self.meanwhile(request.encode())
        return decode_response(request, answer)

    @property
    def registry(self) -> IoTBackend:
        return iot_backends[A.account][A.region]

    def pages(self, mender: str | None = None) -> Iterator[Page]:
        page = self.reconciliation.page(A, None, mender)
        yield page
        while page.cursor:
            page = self.reconciliation.page(A, page.cursor, mender)
            yield page

    def codes(self, mender: str | None = None) -> list[tuple[str, Code, bool]]:
        told = [told for page in self.pages(mender) for told in page.told]
        return [(each.difference.certid, each.difference.code, each.mended) for each in told]


@pytest.fixture
def shop(calls: Calls, clock: Clock) -> Workshop:
    made = Workshop(calls, clock, "sensor-1", "sensor-2", "sensor-3")
    made.begin_settled(ONE, TWO)
    return made


@pytest.fixture
def office(shop: Workshop) -> Office:
    return Office(shop)


def missing(shop: Workshop, iot: IoTBackend) -> None:
    del iot.principal_policies[(ARN, "device-lobby-default")], iot.principal_things[(ARN, "sensor-1")]
    del iot.certificates[ONE]


def inactive(shop: Workshop, iot: IoTBackend) -> None:
    iot.certificates[ONE].status = "INACTIVE"


def revoked(shop: Workshop, iot: IoTBackend) -> None:
    iot.certificates[ONE].status = "REVOKED"


def no_thing(shop: Workshop, iot: IoTBackend) -> None:
    iot.principal_things.pop((ARN, "sensor-1"))
    iot.things = type(iot.things)({arn: each for arn, each in iot.things.items() if each.thing_name != "sensor-1"})


def unbound(shop: Workshop, iot: IoTBackend) -> None:
    iot.principal_things.pop((ARN, "sensor-1"))


def of_another(shop: Workshop, iot: IoTBackend) -> None:
    next(each for each in iot.things.values() if each.thing_name == "sensor-1").attributes["certid"] = THREE


def elsewhere(shop: Workshop, iot: IoTBackend) -> None:
    make_thing(iot, "theirs")
    iot.attach_thing_principal("theirs", ARN)


def no_policy(shop: Workshop, iot: IoTBackend) -> None:
    iot.detach_policy("device-lobby-default", ARN)


def other_policy(shop: Workshop, iot: IoTBackend) -> None:
    shop.deploy_policy(A, "camera")
    iot.attach_policy("device-lobby-camera", ARN)


def orphaned(shop: Workshop, iot: IoTBackend) -> None:
    """Moved away, and somebody switched it on again."""
    shop.deliver(shop.move())
    assert statuses() == ("ACTIVE", "INACTIVE", "ACTIVE")
    iot.certificates[ONE].status = "ACTIVE"


def revoked_and_active(shop: Workshop, iot: IoTBackend) -> None:
    shop.deliver(shop.revoke())
    iot.certificates[ONE].status = "ACTIVE"


SPOILT: dict[Callable[[Workshop, IoTBackend], None], Code] = {
    missing: Code.CERTIFICATE_MISSING,
    inactive: Code.CERTIFICATE_INACTIVE,
    revoked: Code.CERTIFICATE_REVOKED,
    no_thing: Code.THING_MISSING,
    unbound: Code.THING_UNBOUND,
    of_another: Code.THING_OF_ANOTHER,
    elsewhere: Code.THING_ELSEWHERE,
    no_policy: Code.POLICY_MISSING,
    other_policy: Code.POLICY_OF_ANOTHER_PROFILE,
    orphaned: Code.ORPHANED,
    revoked_and_active: Code.ORPHANED,
}


def test_a_target_as_the_ledger_says_has_no_differences_and_is_only_looked_at(office: Office) -> None:
    before = aws.registry(A), aws.tables()
    assert office.codes() == []
    assert office.codes(ANN) == []
    assert (aws.registry(A), aws.tables()) == before
    assert sum(page.looked for page in office.pages()) == 2


@pytest.mark.parametrize("spoil", SPOILT, ids=lambda spoil: spoil.__name__)
def test_each_difference_is_told_and_nothing_is_touched(
    office: Office, spoil: Callable[[Workshop, IoTBackend], None]
) -> None:
    with office.shop.calls.uncounted():
        spoil(office.shop, office.registry)
    before = aws.registry(A), aws.tables()
    assert office.codes() == [(ONE, SPOILT[spoil], False)]
    assert (aws.registry(A), aws.tables()) == before


@pytest.mark.parametrize("spoil", SPOILT, ids=lambda spoil: spoil.__name__)
def test_what_may_be_mended_is_and_all_else_is_left_alone(
    office: Office, spoil: Callable[[Workshop, IoTBackend], None]
) -> None:
    shop, code = office.shop, SPOILT[spoil]
    with shop.calls.uncounted():
        spoil(shop, office.registry)
    before = aws.registry(A), aws.tables()
    assert office.codes(ANN) == [(ONE, code, REPAIRS[code] is not None)]
    if REPAIRS[code] is None:
        assert (aws.registry(A), aws.tables()) == before
        return
    last = shop.ledger.history(ONE)[-1]
    assert (last.event.value, last.actor) == (str(REPAIRS[code]), ANN)
    if REPAIRS[code] is Repair.RETRY:
        assert shop.device().devstate is State.CLAIMED
        assert shop.deliver(shop.record()) == []
        assert shop.device().devstate is State.COMMISSIONED
    assert office.codes() == []


def test_an_orphan_that_is_put_out_of_use_is_on_record_first(office: Office) -> None:
    shop = office.shop
    with shop.calls.uncounted():
        orphaned(shop, office.registry)
    shop.calls.forget()
    office.codes(ANN)
    wrote = [
        call.operation for call in shop.calls.made if call.operation in ("TransactWriteItems", "UpdateCertificate")
    ]
    assert wrote == ["TransactWriteItems", "UpdateCertificate"]
    last = shop.ledger.history(ONE)[-1]
    assert (last.event, last.target, last.actor) == ("deactivate", str(A), ANN)
    assert statuses() == ("ACTIVE", "INACTIVE", "ACTIVE")
    assert shop.device().devstate is State.COMMISSIONED


def test_what_the_lobby_did_not_make_is_told_where_it_looks_like_ours_and_never_touched(office: Office) -> None:
    pem = next(iter(office.registry.certificates.values())).certificate_pem
    arn = certificate_arn(A, THREE)
    office.registry.certificates[THREE] = other = type(office.registry.certificates[ONE])(
        pem, "ACTIVE", A.account, A.region, None
    )
    other.certificate_id, other.arn = THREE, arn
    make_thing(office.registry, "sensor-3", certid=THREE)
    make_thing(office.registry, "theirs", certid="our own numbers")
    office.registry.attach_thing_principal("sensor-3", arn)
    before = aws.registry(A), aws.tables()
    assert office.codes(ANN) == [(THREE, Code.ORPHANED_NOT_OURS, False)]
    assert (aws.registry(A), aws.tables()) == before


def test_a_change_on_its_way_is_no_difference(office: Office) -> None:
    shop = office.shop
    office.registry.certificates[ONE].status = "INACTIVE"
    office.meanwhile = lambda event: event["ask"] == "devices" and shop.release()
    assert office.codes(ANN) == []
    assert shop.device().devstate is State.INLOBBY


def test_a_claim_that_comes_while_an_orphan_is_put_out_of_use_is_done_again(office: Office) -> None:
    shop = office.shop
    with shop.calls.uncounted():
        orphaned(shop, office.registry)

    def claimed_back(event: dict[str, Any]) -> None:
        if event["ask"] == "deactivate":
            shop.deliver(shop.move(target=A))
            office.registry.certificates[ONE].status = "INACTIVE"

    office.meanwhile = claimed_back
    assert office.codes(ANN) == [(ONE, Code.ORPHANED, True)]
    assert shop.device().devstate is State.CLAIMED
    shop.deliver(shop.record())
    assert aws.status(ONE, A) == "ACTIVE"


def test_a_claim_that_came_before_keeps_the_certificate_as_it_is(office: Office) -> None:
    shop = office.shop
    with shop.calls.uncounted():
        orphaned(shop, office.registry)
    shop.calls.meanwhile["TransactWriteItems"] = lambda: shop.ledger.move(ONE, ClaimRequest(A), ANN)
    assert office.codes(ANN) == [(ONE, Code.ORPHANED, False)]
    assert aws.status(ONE, A) == "ACTIVE"


def test_devices_on_their_way_and_those_of_other_targets_are_not_looked_up(office: Office) -> None:
    with office.shop.calls.uncounted():
        office.shop.ledger.retry(ONE, ANN)
        office.shop.deliver(office.shop.move(TWO, B))
        office.shop.ledger.claim(THREE, ClaimRequest(A), ANN)
    assert next(office.pages()).looked == 0


def test_pages_cover_all_and_go_on_where_time_was_short(office: Office, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "TOGETHER", 1)
    with office.shop.calls.uncounted():
        inactive(office.shop, office.registry)
        office.registry.certificates[TWO].status = "INACTIVE"
    assert {certid for certid, _, _ in office.codes()} == {ONE, TWO}
    monkeypatch.setattr(module, "TOGETHER", 20)
    seconds = iter(range(0, 10_000, 11))
    office.inspector = Inspector(Targets.read_only(), aws.client("sts"), lambda: next(seconds))
    assert [page.looked for page in office.pages()] == [1, 1, 0]
    assert {certid for certid, _, _ in office.codes()} == {ONE, TWO}


def test_strays_that_time_was_too_short_for_are_looked_at_next(office: Office) -> None:
    shop = office.shop
    with shop.calls.uncounted():
        for certid in (ONE, TWO):
            shop.deliver(shop.move(certid))
            office.registry.certificates[certid].status = "ACTIVE"
    seconds = iter(range(0, 10_000, 11))
    office.inspector = Inspector(Targets.read_only(), aws.client("sts"), lambda: next(seconds))
    assert office.codes(ANN) == [(ONE, Code.ORPHANED, True), (TWO, Code.ORPHANED, True)]


@pytest.mark.parametrize(
    "cursor", ["x", "e30=", "W10=", "eyJ3YWxrIjoiYWxsIn0=", "eyJkb25lIjotMX0=", "eyJwYWdlIjoxfQ=="]
)
def test_a_cursor_that_is_none_is_refused(office: Office, cursor: str) -> None:
    if cursor == "e30=":  # an empty place is where every walk begins
        assert office.reconciliation.page(A, cursor).looked == 2
        return
    with pytest.raises(InvalidInput, match="INVALID_CURSOR"):
        office.reconciliation.page(A, cursor)


def test_a_target_that_cannot_be_looked_at_is_said_so(office: Office) -> None:
    office.shop.calls.fails["AssumeRole"] = ClientError({"Error": {"Code": "AccessDenied"}}, "AssumeRole")
    with pytest.raises(TargetRefused, match="TARGET_ROLE_DENIED"):
        office.codes()


def test_a_device_is_told_of_by_its_name(office: Office) -> None:
    inactive(office.shop, office.registry)
    [told] = [told for page in office.pages() for told in page.told]
    assert [asdict(each) for each in reported([replace(told, mended=True)])] == [
        {
            "code": "CERTIFICATE_INACTIVE",
            "certid": ONE,
            "name": "sensor-1",
            "message": told.difference.message,
            "repair": "retry",
            "repaired": True,
        }
    ]
