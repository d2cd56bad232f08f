"""The runbooks of docs/operate.md, carried out as written on the local cloud, with an attacker at work."""

import secrets
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from infra.local.api import Api, ApiRefused
from pki.ca.authority import create_hierarchy
from pki.devices.credentials import write_device
from tests.e2e.bare_mqtt import HUNG_UP
from tests.e2e.connections import attempt, connect_admitted
from tests.e2e.deployment import Deployment, until
from tests.e2e.fleet import certid_of, name_of
from tests.e2e.runbook_operator import Operator
from tests.runbooks import AUTHORITY, PHONE, commands_of

CLAIM = """
mutation($id: ID!, $account: String!, $region: String!) {
  claimDevice(certid: $id, target: {account: $account, region: $region}) { devstate }
}"""


@pytest.fixture
def technician(deployed: Deployment) -> Iterator[Api]:
    """The API with the technician's token, as the stolen phone has it. The user is as before afterwards."""
    operator = deployed.file.operator("technician")
    api = Api(deployed.file, operator)
    yield api
    api.close()
    cognito = deployed.client(deployed.lobby, "cognito-idp")
    user = {"UserPoolId": deployed.file.user_pool_id, "Username": operator.user}
    cognito.admin_set_user_password(**user, Password=operator.password, Permanent=True)
    cognito.admin_enable_user(**user)


def _claim(deployed: Deployment, api: Api) -> str:
    """Claim a device that nobody has, and return its fingerprint, or the code of the refusal."""
    certid, target = secrets.token_hex(32), deployed.targets[0]
    try:
        api.ask(CLAIM, id=certid, account=target.account, region=target.region)
    except ApiRefused as refused:
        return refused.code
    return certid


@pytest.mark.full
def test_a_stolen_phone_is_stopped_and_its_claims_are_undone(
    deployed: Deployment, technician: Api, tmp_path: Path
) -> None:
    since = datetime.now(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")
    stolen = _claim(deployed, technician)
    user = deployed.file.operator("technician").user
    words = {"NAME": user, "POOL": deployed.file.user_pool_id, "SINCE": since, "DEVICE": stolen}
    run = Operator(deployed, tmp_path, **words)
    block, disable, sign_out, activity, release, verify, *welcome = commands_of(PHONE)
    run(block)
    until(lambda: _claim(deployed, technician) == "USER_BLOCKED")
    for command in (disable, sign_out):
        run(command)
    with pytest.raises(Exception, match=r"NotAuthorized|disabled"):
        Api(deployed.file, deployed.file.operator("technician"))
    until(lambda: stolen[:12] in run(activity))
    run(release)
    assert deployed.device(stolen) is None
    assert "History verified" in run(verify)
    for command in welcome:
        run(command)
    until(lambda: len(_claim(deployed, technician)) == 64)


@pytest.mark.full
def test_a_stolen_ca_admits_nothing_and_its_devices_are_revoked(deployed: Deployment, tmp_path: Path) -> None:
    factory = deployed.local.manufacturer
    forged, genuine, late = factory.make_device(), factory.make_device(), factory.make_device()
    for paths in (forged, genuine):
        connect_admitted(deployed, paths.chain, paths.key, name_of(paths)).close()
        deployed.wait(certid_of(paths), "knocking")
    (tmp_path / "ca.pem").write_bytes(factory.ca_path.read_bytes())
    created = create_hierarchy(tmp_path / "new-ca", "Another Manufacturer", now=datetime.now(UTC))
    run = Operator(deployed, tmp_path, DEVICE=certid_of(forged))
    unregister, listed, admitted, made, foreign, revoke, revoked, register, export = commands_of(AUTHORITY)
    try:
        run(unregister)
        assert attempt(deployed, late.chain, late.key, name_of(late)) == HUNG_UP
        run(listed)
        run(admitted)
        known = set((tmp_path / "admitted.txt").read_text().split())
        assert {certid_of(forged), certid_of(genuine)} <= known
        (tmp_path / "manifests").mkdir()
        (tmp_path / "manifests" / "all.csv").write_text("\n".join(["certid", *sorted(known - {certid_of(forged)})]))
        run(made)
        run(foreign)
        assert (tmp_path / "foreign.txt").read_text().split() == [certid_of(forged)]
        run(revoke)
        assert deployed.existing(certid_of(forged))["devstate"] == "revoked"
        until(lambda: deployed.status(certid_of(forged), deployed.lobby) in (None, "INACTIVE", "REVOKED"))
        assert certid_of(forged)[:12] in run(revoked)
        assert deployed.existing(certid_of(genuine))["devstate"] == "knocking"
        connect_admitted(deployed, genuine.chain, genuine.key, name_of(genuine)).close()
        run(register)
        device = write_device(tmp_path, created.issue_device(f"new-{secrets.token_hex(4)}", now=datetime.now(UTC)))
        connect_admitted(deployed, device.chain, device.key, name_of(device)).close()
        assert attempt(deployed, late.chain, late.key, name_of(late)) == HUNG_UP
        run(export)
        assert (tmp_path / "history.json").exists()
    finally:
        lobby = deployed.lobby
        factory.register(deployed.local.emulator.session(lobby.account, lobby.region), lobby)
