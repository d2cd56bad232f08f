"""What the device does with requests, certificates and routes of a renewal, and which certificate it connects with."""

import json

import pytest

from device.machine.events import Connect, Publish, PublishAcknowledged
from device.machine.provisioning_messages import certificate_der
from device.machine.renewal import REFUSALS_OF_NEW
from device.machine.renewal_events import (
    Certificates,
    CertificatesNotStored,
    CertificatesStored,
    NewHeld,
    PrepareRenewalKey,
    PromoteCertificate,
    RenewalKeyReady,
    StoreCertificate,
)
from device.machine.state import Location
from lobby.names import Fingerprint
from lobby.wire import RENEWAL_TOPIC, NewCertificate, RenewalRequest, Route
from tests.unit.device.machine_driver import PLAN, MachineDriver
from tests.unit.device.provisioning_cloud import certificate_for
from tests.unit.device.renewal_cloud import (
    BY,
    FIRST,
    RENEWS,
    ROUTE,
    Cloud,
    RenewingDevice,
    disk_in_target,
    names_on,
    stored_on,
)
from tests.unit.device.simulated_disk import SimulatedDisk
from tests.unit.device.simulated_network import DAY, HOUR

REQUEST = RenewalRequest(BY, 1).encode()
KEY = b"public key 1;"
NEW = NewHeld(Fingerprint("a" * 64), 2)
NEW_ROUTE = Route(ROUTE.iotep, ROUTE.config, ROUTE.port, 2)


def in_lobby() -> MachineDriver:
    """A device that was asked in its target, and has said hello in the lobby."""
    return MachineDriver(RENEWS, ROUTE).go_online().receive(REQUEST).reconnect().go_online()


def asked() -> MachineDriver:
    """It has sent its request."""
    return in_lobby().receive(REQUEST).feed(RenewalKeyReady("the csr", KEY))


def renewed() -> MachineDriver:
    """It has stored its new certificate."""
    return asked().feed(CertificatesStored(Certificates(None, NEW)))


def wait(device: MachineDriver, seconds: int) -> list[Publish]:
    """Let time pass, with an acknowledgement of each message. Return the messages."""
    sent: list[Publish] = []
    for _ in range(seconds):
        published = device.advance_time(1).actions(Publish)
        for _ in published:
            device.feed(PublishAcknowledged(device.state.connection_id))
        sent += published
    return sent


def test_a_request_in_the_target_leads_to_the_lobby_and_one_in_the_lobby_to_a_new_key() -> None:
    device = in_lobby()
    assert device.state.location is Location.LOBBY
    device.receive(REQUEST)
    assert device.actions(PrepareRenewalKey)
    (sent,) = device.feed(RenewalKeyReady("the csr", KEY)).actions(Publish)
    assert (sent.topic, json.loads(sent.payload)) == (RENEWAL_TOPIC, {"csr": "the csr"})


def test_a_hello_announces_that_the_client_renews_and_only_then() -> None:
    for plan, announced in ((RENEWS, True), (PLAN, False)):
        (hello,) = MachineDriver(plan).go_online().advance_time(67).actions(Publish)
        assert ("renew" in json.loads(hello.payload)) is announced


def test_a_client_that_does_not_renew_ignores_a_request() -> None:
    device = MachineDriver(PLAN, ROUTE).go_online().receive(REQUEST)
    assert device.logged == ["message_ignored"]
    assert device.state.location is Location.TARGET


def test_a_target_that_asks_repeatedly_moves_the_device_once_a_minute() -> None:
    device = in_lobby().receive(ROUTE.encode()).reconnect().go_online()
    assert device.state.location is Location.TARGET
    assert device.receive(REQUEST).logged == ["message_ignored"]
    device.advance_time(61)
    assert device.receive(REQUEST).logged == ["renewal_requested"]


def test_the_request_is_repeated_until_the_time_is_over_and_then_the_held_route_is_followed() -> None:
    device = asked().receive(ROUTE.encode())
    assert device.state.location is Location.LOBBY
    assert [each.topic for each in wait(device, 179)].count(RENEWAL_TOPIC) == 4
    device.advance_time(2)
    assert "renewal_postponed" in device.logged
    assert device.reconnect().state.location is Location.TARGET


def test_a_device_without_an_answer_returns_to_the_target_of_its_route() -> None:
    device = asked()
    wait(device, 181)
    assert device.reconnect().state.location is Location.TARGET


@pytest.mark.parametrize(
    ("pem", "stored"),
    [
        (certificate_for(KEY), True),
        (certificate_for(b"public key 2;"), False),
        ("-----BEGIN CERTIFICATE-----\n*\n-----END CERTIFICATE-----\n", False),
    ],
    ids=["own key", "another key", "no certificate"],
)
def test_a_certificate_is_stored_only_if_it_is_for_the_key_of_the_request(pem: str, stored: bool) -> None:
    device = asked().receive(NewCertificate(pem, 2).encode())
    assert device.actions(StoreCertificate) == ([StoreCertificate(pem, 2)] if stored else [])


def test_a_certificate_from_a_target_or_without_a_request_is_ignored() -> None:
    message = NewCertificate(certificate_for(KEY), 2).encode()
    assert not in_lobby().receive(message).actions(StoreCertificate)
    in_target = asked()
    wait(in_target, 181)
    in_target.reconnect().go_online()
    assert in_target.state.location is Location.TARGET
    assert not in_target.receive(message).actions(StoreCertificate)


def test_the_new_certificate_is_used_from_its_route_on_and_the_old_one_removed_after_a_stable_connection() -> None:
    device = renewed().receive(ROUTE.encode())
    assert device.state.location is Location.LOBBY, "the target does not know the new certificate yet"
    (connect,) = device.receive(NEW_ROUTE.encode()).reconnect().actions(Connect)
    assert connect.certificate == NEW.certid
    device.go_online()
    assert not device.actions(PromoteCertificate)
    assert device.advance_time(31).actions(PromoteCertificate)
    device.feed(CertificatesStored(Certificates(NEW.certid)))
    assert device.logged == ["certificate_renewed"]
    (connect,) = device.fail().finish_backoff().actions(Connect)
    assert connect.certificate == NEW.certid


def test_a_route_that_came_before_the_certificate_is_followed_afterwards() -> None:
    device = asked().receive(NEW_ROUTE.encode())
    assert device.logged == ["route_held"]
    device.feed(CertificatesStored(Certificates(None, NEW))).reconnect()
    assert device.state.location is Location.TARGET


def test_a_failed_write_is_repeated_and_the_same_error_is_logged_once() -> None:
    device = asked()
    action = StoreCertificate(certificate_for(KEY), 2)
    for number in range(3):
        device.feed(CertificatesNotStored("disk full", action))
        assert device.logged == (["certificate_not_stored"] if number == 0 else [])
        assert action in device.advance_time(31).actions(StoreCertificate)


def test_an_old_certificate_that_is_refused_is_replaced_by_the_new_one() -> None:
    """The target had reported the new one when the power was cut."""
    renewing, disk = RenewingDevice(Cloud()), disk_in_target()
    store = renewing.store(disk)
    store.prepare()
    new = store.store(certificate_for(KEY), 2).new
    assert new is not None
    renewing.cloud.current, renewing.cloud.lobby, renewing.cloud.target = new.certid, {new.certid}, {new.certid}
    renewing.renew(disk, HOUR)
    assert names_on(disk) >= {"renewal.json"}


def test_a_new_certificate_that_the_target_refuses_is_tried_again_next_to_the_old_one() -> None:
    device, disk = RenewingDevice(), disk_in_target()
    device.cloud.refuses_new = True
    network = device.run(disk, lambda: _is_given_up(device, disk), DAY)
    assert network.counts["fallback_to_lobby"] == 0
    assert network.counts["new_certificate_given_up"] == 1
    refused = [at for at, event, _ in network.log if event == "refused"]
    assert len(refused) == REFUSALS_OF_NEW
    assert refused[-1] - refused[0] > HOUR / 2, "the waits grow"
    lost = stored_on(disk, device.keys).new
    device.cloud.refuses_new = False
    device.renew(disk, DAY)
    assert device.cloud.current != getattr(lost, "certid", None)


def _is_given_up(device: RenewingDevice, disk: SimulatedDisk) -> bool:
    new = stored_on(disk, device.keys).new
    return new is not None and new.given_up


def test_a_renewal_while_the_report_of_the_arrival_is_lost_keeps_a_certificate_that_works() -> None:
    device, disk = RenewingDevice(), disk_in_target()
    device.cloud.reports = False
    device.run(disk, lambda: stored_on(disk, device.keys).used is not None, DAY)
    device.cloud.reports = True
    device.renew(disk, DAY)
    assert device.cloud.target == device.cloud.lobby == {device.cloud.current}
    assert certificate_der(device.cloud.pems[device.cloud.current])
    assert FIRST not in device.cloud.lobby
