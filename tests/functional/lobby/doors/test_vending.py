"""The vending door: which devices get a certificate, for which name, and the ledger afterwards."""

import pytest
from cryptography import x509
from moto.iot.models import iot_backends

from lobby.domain.enrolments.enrolment import Door, EnrolmentEvent, Match
from lobby.domain.states import Event, State
from lobby.domain.transitions import ClaimRequest
from lobby.ledger.store import Ledger
from lobby.names import EnrolmentName, ThingName
from tests import aws
from tests import certificates as make
from tests.aws import LOBBY, REGION, Calls, Clock
from tests.functional.lobby.enrolled_lobby import PUMPS, TO_A, A
from tests.functional.lobby.ledger.ledger_devices import verified_events
from tests.functional.lobby.vending_door import ROOTS, VendingLobby, settings_of


@pytest.fixture
def lobby(calls: Calls, clock: Clock, ledger: Ledger) -> VendingLobby:
    return VendingLobby(calls, clock, ledger)


def test_a_device_gets_a_certificate_for_its_own_key(lobby: VendingLobby) -> None:
    lobby.enrol_pumps(model="P-100")
    token = lobby.token()
    answer = lobby.register(token)
    pem = answer.pem
    certificate = x509.load_pem_x509_certificate(pem.encode())
    assert certificate.public_key() == make.key("SECP256R1", 0).public_key()
    assert answer.body == {
        "certificateData": {"pem": pem},
        "certificateId": make.fingerprint_of(pem),
        "thingName": "pump-1",
        "rootCa": ROOTS[0],
        "backupRootCa": ROOTS[1],
        "endpoint": "lobby.example.com",
        "port": 9883,
    }
    device = lobby.vended(pem)
    assert (device.devstate, device.devicename, device.enrolment) == (State.KNOCKING, "pump-1", PUMPS)
    assert (device.token, device.model) == (token.id, "P-100")
    assert verified_events(lobby.ledger, device.certid) == [Event.ADMIT]
    assert (lobby.admitted(), lobby.uses(token)) == (1, (1, 1))
    assert aws.counts() == aws.recounted()


def test_the_certificate_is_activated_with_policy_thing_and_attributes_after_the_row_is_written(
    lobby: VendingLobby,
) -> None:
    lobby.enrol_pumps()
    certid = make.fingerprint_of(lobby.register(lobby.token()).pem)
    names = lobby.calls.names()
    assert (
        names.index("CreateCertificateFromCsr") < names.index("TransactWriteItems") < names.index("UpdateCertificate")
    )
    registry = aws.registry()
    assert registry["certificates"][certid] == "ACTIVE"
    assert registry["things"]["pump-1"] == {"version": "1.0"}
    assert [policy for _, policy in registry["policies"]] == [aws.WAITING_POLICY]
    assert [thing for _, thing in registry["principals"]] == ["pump-1"]


def test_without_a_csr_the_answer_has_the_key_which_is_stored_nowhere(lobby: VendingLobby) -> None:
    lobby.enrol_pumps()
    answer = lobby.register(lobby.token(), key=None)
    private = answer.body["certificateData"]["key_pair"]["private_key"]
    assert private.splitlines()[0] == "-----BEGIN RSA " + "PRIVATE KEY-----"
    assert aws.status(make.fingerprint_of(answer.pem)) == "ACTIVE"
    middle = private.splitlines()[10]
    assert middle not in str(aws.tables())


def test_a_device_is_claimed_by_its_enrolment_in_the_same_transaction(lobby: VendingLobby) -> None:
    lobby.enrol_pumps(allocation=TO_A)
    device = lobby.vended(lobby.register(lobby.token()).pem)
    assert (device.devstate, device.target, device.claimedby) == (State.CLAIMED, A, "rule:pumps")
    assert len(lobby.calls.of("TransactWriteItems")) == 1


def test_a_repeated_request_gets_the_same_certificate_and_is_not_a_use(lobby: VendingLobby) -> None:
    lobby.enrol_pumps()
    token = lobby.token()
    first = lobby.register(token)
    lobby.calls.forget()
    assert lobby.register(token).body == first.body
    assert lobby.uses(token) == (1, 1)
    assert not lobby.calls.of("CreateCertificateFromCsr")


def test_a_device_that_has_connected_gets_the_same_certificate_without_an_activation(lobby: VendingLobby) -> None:
    lobby.enrol_pumps()
    token = lobby.token()
    first = lobby.register(token)
    lobby.connected(first.pem)
    lobby.calls.forget()
    assert lobby.register(token).pem == first.pem
    assert not lobby.calls.of("UpdateCertificate")


def test_a_lost_answer_is_requested_again_without_another_use(lobby: VendingLobby) -> None:
    lobby.enrol_pumps(limit=1)
    token = lobby.token()
    lost, got = (lobby.register(token, key=None).pem for _ in range(2))
    assert lobby.uses(token) == (1, 2)
    assert (lobby.vended(lost).devstate, lobby.vended(got).devstate) == (State.REVOKED, State.KNOCKING)
    assert verified_events(lobby.ledger, lobby.vended(lost).certid) == [Event.ADMIT, Event.REVOKE]
    assert lobby.ledger.name_holder("pump-1") == make.fingerprint_of(got)
    assert lobby.admitted() == 1
    assert aws.counts() == aws.recounted()


def test_answers_are_not_repeated_without_end(lobby: VendingLobby) -> None:
    lobby.enrol_pumps()
    token = lobby.token()
    assert [lobby.register(token, key=None).status for _ in range(6)] == [200] * 5 + [403]
    assert lobby.refusals() == {"TOKEN_USED_UP": 1}


def test_a_renewal_by_the_same_token_is_a_use_and_keeps_the_claim(lobby: VendingLobby) -> None:
    lobby.enrol_pumps(limit=1)
    token = lobby.token(uses=2)
    before = lobby.register(token, key=0).pem
    lobby.connected(before)
    with lobby.calls.uncounted():
        lobby.ledger.claim(make.fingerprint_of(before), ClaimRequest(A, "camera"), "user:ann")
    after = lobby.register(token, key=1).pem
    device, replaced = lobby.vended(after), lobby.vended(before)
    assert (device.devstate, device.target, device.profile) == (State.CLAIMED, A, "camera")
    assert (replaced.devstate, replaced.targets_to_clear) == (State.REVOKED, (A,))
    assert (lobby.uses(token), lobby.admitted()) == ((2, 2), 1)


def test_a_used_up_token_does_not_replace_the_certificate_of_a_device_that_has_connected(lobby: VendingLobby) -> None:
    lobby.enrol_pumps()
    token = lobby.token()
    pem = lobby.register(token).pem
    lobby.connected(pem)
    assert lobby.register(token, key=1).code == "TOKEN_USED_UP"
    assert lobby.vended(pem).devstate is State.INLOBBY


def test_another_token_is_refused_for_the_same_name(lobby: VendingLobby) -> None:
    lobby.enrol_pumps()
    first = lobby.register(lobby.token())
    answer = lobby.register(lobby.token(), key=1)
    assert (answer.status, answer.code) == (409, "NAME_TAKEN")
    assert lobby.vended(first.pem).devstate is State.KNOCKING
    assert lobby.refusals() == {"NAME_TAKEN": 1}
    assert len(lobby.calls.of("CreateCertificateFromCsr")) == 1


def test_the_request_of_another_device_again_by_another_token_is_refused(lobby: VendingLobby) -> None:
    """A CSR is not secret. Its certificate cannot be used without the key, and it is not issued for another token."""
    lobby.enrol_pumps()
    lobby.register(lobby.token())
    assert lobby.register(lobby.token()).code == "NAME_TAKEN"


def test_a_device_of_another_door_keeps_its_name(lobby: VendingLobby) -> None:
    lobby.enrol_pumps()
    assert lobby.connect(1) == "admitted"
    assert lobby.register(lobby.token()).code == "NAME_TAKEN"


def test_a_token_has_its_uses_and_no_more(lobby: VendingLobby) -> None:
    lobby.enrol_pumps()
    token = lobby.token(uses=2)
    answers = [lobby.register(token, f"pump-{number}", number) for number in range(3)]
    assert [each.status for each in answers] == [200, 200, 403]
    assert answers[2].code == "TOKEN_USED_UP"
    assert aws.registry()["things"].keys() == {"pump-0", "pump-1"}


def test_a_token_for_one_name_permits_no_other(lobby: VendingLobby) -> None:
    lobby.enrol_pumps()
    token = lobby.token(uses=2, name="pump-1")
    assert lobby.register(token, "pump-2").code == "TOKEN_OTHER_NAME"
    assert lobby.register(token, "pump-1").status == 200


def test_a_token_that_is_revoked_before_the_transaction_admits_no_device(lobby: VendingLobby) -> None:
    lobby.enrol_pumps()
    token = lobby.token()
    lobby.calls.meanwhile["TransactWriteItems"] = lambda: lobby.tokens.revoke(token.id, "user:ann")
    answer = lobby.register(token)
    assert (answer.status, answer.code) == (403, "TOKEN_REVOKED")
    assert aws.registry()["certificates"] == {}
    assert lobby.ledger.name_holder("pump-1") is None


def test_the_last_use_is_counted_once(lobby: VendingLobby) -> None:
    lobby.enrol_pumps()
    token = lobby.token()
    lobby.calls.meanwhile["TransactWriteItems"] = lambda: lobby.register(token, "pump-2", 2)
    assert lobby.register(token).code == "TOKEN_USED_UP"
    assert lobby.uses(token) == (1, 1)
    assert list(aws.registry()["certificates"].values()) == ["ACTIVE"]


def test_two_requests_for_one_name_end_with_one_active_certificate_in_the_ledger(lobby: VendingLobby) -> None:
    lobby.enrol_pumps()
    token = lobby.token()
    lobby.calls.meanwhile["TransactWriteItems"] = lambda: lobby.register(token, key=2)
    pem = lobby.register(token, key=1).pem
    assert lobby.ledger.name_holder("pump-1") == make.fingerprint_of(pem)
    assert lobby.uses(token) == (1, 2)
    assert aws.counts() == aws.recounted()


def test_a_revoked_device_gets_no_certificate(lobby: VendingLobby) -> None:
    lobby.enrol_pumps()
    token = lobby.token(uses=5)
    certid = make.fingerprint_of(lobby.register(token).pem)
    with lobby.calls.uncounted():
        lobby.ledger.revoke(certid, "stolen", "user:ann")
    for key in (0, 1, None):
        assert lobby.register(token, key=key).code == "REVOKED"
    assert lobby.register(lobby.token(), key=1).status == 200


@pytest.mark.parametrize(
    ("event", "code"),
    [(EnrolmentEvent.PAUSED, "ENROLMENT_PAUSED"), (EnrolmentEvent.REVOKED, "ENROLMENT_REVOKED")],
)
def test_an_enrolment_that_admits_no_device_refuses_with_its_reason(
    lobby: VendingLobby, event: EnrolmentEvent, code: str
) -> None:
    lobby.enrol_pumps()
    token = lobby.token()
    lobby.change(event)
    answer = lobby.register(token)
    assert (answer.status, answer.code) == (403, code)
    assert lobby.refusals() == {code: 1}
    assert not lobby.calls.of("CreateCertificateFromCsr")


def test_a_full_enrolment_refuses_also_if_the_token_has_uses(lobby: VendingLobby) -> None:
    lobby.enrol_pumps(limit=1)
    token = lobby.token(uses=3)
    lobby.register(token)
    assert lobby.register(token, "pump-2", 2).code == "ENROLMENT_FULL"
    assert lobby.uses(token) == (1, 1)


def test_a_name_that_the_enrolment_does_not_match_is_refused(lobby: VendingLobby) -> None:
    lobby.enrol_pumps()
    answer = lobby.register(lobby.token(), "valve-1")
    assert (answer.status, answer.code) == (403, "SERIAL_UNMATCHED")


def test_an_enrolment_with_a_list_admits_its_serial_numbers(lobby: VendingLobby) -> None:
    lobby.enrol("listed", Match(listed=True), door=Door.TOKEN)
    token = lobby.token("listed", uses=9)
    with lobby.calls.uncounted():
        lobby.lists.add(EnrolmentName("listed"), [ThingName("pump-1")], "user:ann")
    assert lobby.register(token, "pump-2").code == "SERIAL_UNMATCHED"
    assert lobby.register(token, "pump-1").status == 200


def test_the_registration_door_does_not_use_enrolments_of_tokens(lobby: VendingLobby) -> None:
    lobby.enrol_pumps(limit=1)
    assert [lobby.connect(number) for number in (1, 2)] == ["admitted", "admitted"]
    assert lobby.admitted() == 0


def test_wrong_settings_are_refused_clearly_and_nothing_is_issued(lobby: VendingLobby) -> None:
    lobby.enrol_pumps()
    lobby.configure(settings_of(POLICIES={"default": {"name": "AdministratorsPolicy"}}))
    answer = lobby.register(lobby.token())
    assert (answer.status, answer.code) == (503, "INVALID_SETTINGS")
    assert not lobby.calls.of("CreateCertificateFromCsr")


def test_changed_settings_apply_after_a_minute(lobby: VendingLobby) -> None:
    lobby.enrol_pumps()
    token = lobby.token(uses=5)
    lobby.register(token, "pump-1", 1)
    lobby.configure(settings_of(ATTRIBUTES={"default": []}))
    lobby.register(token, "pump-2", 2)
    lobby.clock.advance(seconds=60)
    lobby.register(token, "pump-3", 3)
    assert aws.registry()["things"] == {"pump-1": {"version": "1.0"}, "pump-2": {"version": "1.0"}, "pump-3": {}}


def test_a_certificate_that_aws_iot_has_lost_is_replaced(lobby: VendingLobby) -> None:
    """The lobby was removed and deployed again: the ledger was retained, the registry was not."""
    lobby.enrol_pumps()
    token = lobby.token(uses=2)
    first = lobby.register(token).pem
    lobby.connected(first)
    iot_backends[LOBBY][REGION].certificates.clear()
    second = lobby.register(token).pem
    assert second != first
    assert aws.status(make.fingerprint_of(second)) == "ACTIVE"
