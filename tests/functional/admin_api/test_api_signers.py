"""The signer of an enrolment, through the API and lobbyctl: what is proved before the enrolment is written."""

from pathlib import Path
from typing import Any

import pytest

from admin_api.operations.signers import SigningKeys
from lobby.aws.kms_signer import KmsKeys
from tests import aws
from tests.functional.admin_api.api_on_moto import Lobby, Response
from tests.functional.admin_api.lobby_over_http import Terminal
from tests.functional.lobby.kms_ca import KmsCa, new_key, new_kms_ca

CREATE = """
mutation($signer: SignerInput) {
  createEnrolment(name: "pumps", door: "token", match: {namePattern: "pump-*"}, signer: $signer) {
    signer { key caCertificate days }
  }
}"""
CHANGE = """
mutation($signer: SignerInput) { changeEnrolment(name: "pumps", signer: $signer) { signer { key days } } }"""


@pytest.fixture
def ca(lobby: Lobby) -> KmsCa:
    """A CA whose key the deployment names."""
    made = new_kms_ca()
    name_keys(lobby, made.arn)
    return made


def name_keys(lobby: Lobby, *arns: str) -> None:
    """Name keys in the deployment's setting."""
    keys = SigningKeys(arns, KmsKeys(lambda _region: aws.client("kms")).describe)
    object.__setattr__(lobby.services, "signing_keys", keys)


def entered(ca: KmsCa, **other: Any) -> dict[str, Any]:
    return {"key": ca.arn, "caCertificate": ca.pem, "days": 365} | other


def create(lobby: Lobby, signer: dict[str, Any] | None) -> Response:
    return lobby.ask(CREATE, {"signer": signer}, ("admin",))


def test_an_enrolment_names_its_signer(lobby: Lobby, ca: KmsCa) -> None:
    assert create(lobby, entered(ca)).data["createEnrolment"] == {"signer": entered(ca)}
    [enrolment] = lobby.enrolments.all()
    assert enrolment.signer == ca.signer


def test_aws_iot_signs_without_one(lobby: Lobby) -> None:
    assert create(lobby, None).data["createEnrolment"] == {"signer": None}


def test_the_signer_is_changed_and_removed_and_the_history_states_it(lobby: Lobby, ca: KmsCa) -> None:
    create(lobby, None)
    changed = lobby.ask(CHANGE, {"signer": entered(ca)}, ("admin",)).data["changeEnrolment"]
    assert changed == {"signer": {"key": ca.arn, "days": 365}}
    assert lobby.ask(CHANGE, {"signer": None}, ("admin",)).data["changeEnrolment"] == {"signer": None}
    details = [entry.detail for entry in lobby.enrolments.history(lobby.enrolments.all()[0].name)]
    assert f"signer: none → {ca.arn}, for 365 days" in details


def test_an_omitted_signer_stays(lobby: Lobby, ca: KmsCa) -> None:
    create(lobby, entered(ca))
    answer = lobby.ask('mutation { changeEnrolment(name: "pumps", limit: 5) { signer { key } } }', {}, ("admin",))
    assert answer.data["changeEnrolment"] == {"signer": {"key": ca.arn}}


def disabled(ca: KmsCa) -> dict[str, Any]:
    ca.disable()
    return entered(ca)


REFUSED = {
    "a disabled key": (disabled, "INVALID_SIGNER", "in state 'Disabled', want it enabled"),
    "another CA's certificate": (
        lambda ca: entered(ca, caCertificate=new_kms_ca().pem),
        "INVALID_SIGNER",
        "want the certificate of this key",
    ),
    "a key that is not named": (
        lambda ca: entered(ca, key=new_key()),
        "INVALID_SIGNER",
        "want one that the deployment names in signingKeys: arn:aws:kms:",
    ),
    "an alias": (lambda ca: entered(ca, key=ca.arn.replace(":key/", ":alias/")), "INVALID_SIGNER", "want the ARN"),
    "no certificate": (lambda ca: entered(ca, caCertificate="x"), "INVALID_SIGNER", "a CA that cannot issue devices"),
    "no day": (lambda ca: entered(ca, days=0), "INVALID_SIGNER", "want 1 to 36500"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_a_key_that_cannot_sign_for_the_ca_is_refused(lobby: Lobby, ca: KmsCa, case: str) -> None:
    signer, code, text = REFUSED[case]
    response = create(lobby, signer(ca))
    assert response.code == code
    assert text in response.body["errors"][0]["message"]
    assert lobby.enrolments.all() == []


@pytest.mark.parametrize(("spec", "usage"), [("SYMMETRIC_DEFAULT", "ENCRYPT_DECRYPT"), ("RSA_2048", "ENCRYPT_DECRYPT")])
def test_a_key_for_encryption_is_refused(lobby: Lobby, ca: KmsCa, spec: str, usage: str) -> None:
    other = new_key(spec, usage)
    name_keys(lobby, other)
    response = create(lobby, entered(ca, key=other))
    assert (response.code, "for SIGN_VERIFY" in response.body["errors"][0]["message"]) == ("INVALID_SIGNER", True)


def test_a_key_that_kms_does_not_have_is_refused(lobby: Lobby, ca: KmsCa) -> None:
    gone = ca.arn.rpartition("/")[0] + "/00000000-0000-0000-0000-000000000000"
    name_keys(lobby, gone)
    assert create(lobby, entered(ca, key=gone)).code == "SIGNER_UNAVAILABLE"


def test_without_the_setting_no_key_is_accepted(lobby: Lobby) -> None:
    assert create(lobby, entered(new_kms_ca())).code == "INVALID_SIGNER"


def test_lobbyctl_names_a_signer_shows_it_and_removes_it(terminal: Terminal, lobby: Lobby, tmp_path: Path) -> None:
    ca, file = new_kms_ca(), tmp_path / "ca.pem"
    name_keys(lobby, ca.arn)
    file.write_text(ca.pem)
    options = ("--door", "token", "--signer-key", ca.arn, "--signer-ca", str(file), "--signer-days", "365")
    created = terminal.run("--as", "admin", "enrolments", "create", "pumps", *options)
    assert created.exit_code == 0, created.stderr
    shown = terminal.run("--as", "admin", "enrolments", "show", "pumps").stdout
    assert "for 365 days" in shown
    removed = terminal.run("--as", "admin", "enrolments", "change", "pumps", "--signer-key", "none")
    assert removed.exit_code == 0, removed.stderr
    assert lobby.enrolments.all()[0].signer is None


@pytest.mark.parametrize(
    ("options", "want"),
    [
        (("--signer-days", "10"), "want --signer-key and --signer-ca together"),
        (("--signer-key", "arn:x", "--signer-ca", "missing.pem"), "cannot be read"),
    ],
)
def test_a_part_of_a_signer_is_refused_before_anything_is_sent(
    terminal: Terminal, options: tuple[str, ...], want: str
) -> None:
    refused = terminal.run("--as", "admin", "enrolments", "create", "pumps", "--door", "token", *options)
    assert refused.exit_code == 2
    assert want in " ".join(refused.stderr.split())
