"""The CDK app's settings, parsed from its context."""

import json
from pathlib import Path
from typing import Any

import pytest

from infra.errors import BadContext
from infra.settings import Settings
from tests.infra.templates import LOBBY, settings

CONSOLE = "http://127.0.0.1:4567/"
CERTIFICATE = "arn:aws:acm:us-east-1:100000000001:certificate/12345678-1234-1234-1234-123456789012"
ONE = {"account": "200000000002", "region": "eu-west-1", "externalId": "abc"}


def test_the_lobby_is_the_only_required_setting() -> None:
    made = Settings.from_context({"lobby": LOBBY}.get)
    assert (str(made.lobby), made.targets, made.local, made.bundle, made.log_retention) == (LOBBY, (), False, True, 30)
    assert made.anchor_retention == 3650
    assert made.registration_rate == 10
    assert made.campaign_approval_above == 1000
    assert made.claim_limits == "60/1000/10"
    assert made.clone_policy == "flag"


def test_settings_are_parsed_from_text() -> None:
    made = settings(local="TRUE", bundle="false", logRetentionDays="90", anchorDays="1", targets=json.dumps([ONE]))
    assert (made.local, made.bundle, made.log_retention, made.anchor_retention) == (True, False, 90, 1)
    assert [(str(each.target), each.external_id) for each in made.targets] == [("200000000002/eu-west-1", "abc")]


def test_the_console_of_the_emulator_has_its_own_address() -> None:
    assert settings(local="true", consoleUrl=CONSOLE).console_url == CONSOLE
    assert settings(local="true").console_url is None


def test_the_first_region_of_an_account_creates_the_role() -> None:
    other = {"account": "300000000003", "region": "eu-west-1", "externalId": "other"}
    made = settings(targets=[ONE, ONE | {"region": "eu-north-1"}, other])
    assert [each.create_role for each in made.targets] == [True, False, True]


def test_a_stack_can_omit_the_role() -> None:
    assert not settings(targets=[ONE | {"createRole": "false"}]).targets[0].create_role


@pytest.mark.parametrize(
    ("context", "message"),
    [
        pytest.param({"lobby": None}, "lobby: got None", id="no lobby"),
        pytest.param({"lobby": "us-east-1"}, "want account/Region", id="no account"),
        pytest.param({"lobby": "1/us-east-1"}, "want an AWS account id: 12 digits", id="short account"),
        pytest.param({"profiles": "/none"}, "profiles: got /none, want a directory", id="no profiles"),
        pytest.param({"profiles": 5}, "profiles: got 5, want the path of a directory", id="number as profiles"),
        pytest.param({"local": "yes"}, "local: got 'yes', want true or false", id="no flag"),
        pytest.param({"consoleUrl": CONSOLE}, "want it only with local=true", id="console elsewhere in AWS"),
        pytest.param({"consoleUrl": CONSOLE, "local": "false"}, "want it only with", id="console, not local"),
        *(
            pytest.param({"local": True, "consoleUrl": url}, "consoleUrl: got", id=f"console at {url!r}")
            for url in (
                "https://127.0.0.1:4567/",
                "http://192.0.2.1:4567/",
                "http://127.0.0.1:4567",
                "http://127.0.0.1/",
                "http://127.0.0.1:0/",
                "http://127.0.0.1:65536/",
                "http://127.0.0.1:4567/x",
                "http://127.0.0.1:4567/?x",
                "http://0.0.0.0:4567/",
                "http://localhost.example:4567/",
                "http://127.0.0.1@example.com:4567/",
                "javascript:alert(1)",
                "",
                "http://127.0.0.1:4567/\n",
                "http://127.0.0.1:٤/",
                4567,
            )
        ),
        pytest.param({"anchorDays": 0}, "anchorDays: got 0, want 1 to 36500 days", id="anchors for no time"),
        pytest.param({"anchorDays": "36501"}, "anchorDays: got '36501', want 1 to", id="anchors for too long"),
        pytest.param({"anchorDays": "for ever"}, "anchorDays: got 'for ever', want 1 to", id="anchors for ever"),
        pytest.param({"registrationRate": 0}, "registrationRate: got 0, want 1 to 50", id="no registrations"),
        pytest.param(
            {"registrationRate": "51"}, "registrationRate: got '51', want 1 to 50", id="too many registrations"
        ),
        pytest.param({"claimLimits": "60/0/10"}, "claimLimits: got the claim limits '60/0/10'", id="limit of none"),
        pytest.param({"clonePolicy": "burn"}, "clonePolicy: got 'burn', want flag or quarantine", id="unknown policy"),
        pytest.param({"campaignApprovalAbove": -1}, "got -1, want 0 to 99999 devices", id="negative size"),
        pytest.param({"domain": "lobby.example.com"}, "want both or none", id="domain without certificate"),
        pytest.param({"domainCertificate": CERTIFICATE}, "want both or none", id="certificate without domain"),
        pytest.param({"domain": "https://a.example", "domainCertificate": CERTIFICATE}, "want a host name", id="URL"),
        pytest.param({"domain": "localhost", "domainCertificate": CERTIFICATE}, "want a host name", id="one label"),
        pytest.param({"domain": "a.example", "domainCertificate": "x"}, "want the ARN of a certificate", id="no ARN"),
        pytest.param({"dataEndpoint": "a b.example"}, "dataEndpoint: got 'a b.example', want a host", id="no host"),
        pytest.param({"leftThings": "burn"}, "leftThings: got 'burn', want mark or remove", id="unknown choice"),
        pytest.param({"logRetentionDays": 31}, "logRetentionDays: got 31, want one of 1, 3", id="not a month"),
        pytest.param({"userPoolId": "pool"}, "want the id of a user pool", id="no pool id"),
        pytest.param({"loginUrl": "https://a.b/path"}, "want an https origin", id="no origin"),
        pytest.param({"protect": "maybe"}, "want true or false", id="no flag"),
        pytest.param({"targets": "[{"}, "want a JSON list of targets", id="torn JSON"),
        pytest.param({"targets": {"account": "1"}}, "want a list of targets", id="no list"),
        pytest.param({"targets": ["200000000002/eu-west-1"]}, "want an object with account", id="text for a target"),
        pytest.param({"targets": [ONE | {"role": "x"}]}, "want an object with account", id="unknown key"),
        pytest.param({"targets": [ONE | {"externalId": "a b"}]}, "want an externalId of 2", id="space in the id"),
        pytest.param({"targets": [ONE | {"externalId": "é" * 9}]}, "want an externalId of 2", id="not ASCII"),
        pytest.param({"targets": [ONE | {"profiles": ["x*"]}]}, "want 1 to 32 of a-z", id="wildcard profile"),
        pytest.param({"targets": [ONE | {"profiles": ["gateway"]}]}, "--profiles-from", id="unknown profile"),
        pytest.param({"targets": [ONE | {"profiles": []}]}, "want 1 to 32 of a-z", id="no profile"),
        pytest.param({"targets": [ONE, ONE]}, "got 200000000002/eu-west-1 twice", id="target twice"),
        pytest.param(
            {"targets": [ONE, ONE | {"region": "eu-north-1", "externalId": "else"}]}, "two externalIds", id="two ids"
        ),
        pytest.param(
            {"targets": [ONE, ONE | {"region": "eu-north-1", "createRole": True}]}, "once per account", id="two roles"
        ),
    ],
)
def test_an_invalid_setting_is_reported_with_the_expected_value(context: dict[str, Any], message: str) -> None:
    with pytest.raises(BadContext, match="BAD_CONTEXT") as raised:
        settings(**context)
    assert message in raised.value.message


def test_only_the_local_cloud_has_an_endpoint_with_a_port() -> None:
    assert settings(local="true", deviceEndpoint="0x7f000001:9883").device_endpoint == "0x7f000001:9883"
    with pytest.raises(BadContext, match="deviceEndpoint: got '0x7f000001:9883', want it only with local=true"):
        settings(deviceEndpoint="0x7f000001:9883")
    with pytest.raises(BadContext, match="want a host name and a port"):
        settings(local="true", deviceEndpoint="0x7f000001")


def test_all_invalid_settings_are_reported_together() -> None:
    with pytest.raises(BadContext) as raised:
        settings(lobby="x", local="y", targets=[{"account": "1", "externalId": "?"}, ONE | {"region": "Paris"}])
    for part in ("lobby:", "local:", "[0]", "12 digits", "externalId", "[1]", "'Paris'"):
        assert part in raised.value.message


def test_the_profiles_of_another_directory_can_be_deployed(tmp_path: Path) -> None:
    (tmp_path / "default.yaml").write_text("{}")
    (tmp_path / "gateway.yaml").write_text("thing_groups: [gateways]")
    made = settings(targets=[ONE | {"profiles": ["gateway"]}], profiles=str(tmp_path))
    assert made.profiles.get("gateway").thing_groups == ("gateways",)


def test_the_emulator_gets_no_billing_groups(tmp_path: Path) -> None:
    (tmp_path / "default.yaml").write_text("billing_group: north")
    assert settings(profiles=str(tmp_path)).profiles.billing_groups() == ("north",)
    assert settings(profiles=str(tmp_path), local="true").profiles.billing_groups() == ()
