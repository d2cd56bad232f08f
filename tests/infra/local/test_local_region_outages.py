"""A Region that is down, and two Regions that are cut off from each other."""

import io
import itertools
import json
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import pytest
from awscrt.exceptions import AwsCrtError
from botocore.config import Config
from botocore.exceptions import ClientError

from infra.local.emulator import Emulator
from infra.local.ministack import region_outages
from infra.local.ministack.durability import SCOPE
from infra.local.region_faults import CurrentFaults, RegionFaults
from lobby.names import AccountId, parse_region
from tests.infra.local.emulated_cloud import Device, Identity, aws, register

HOME, DOOR, OTHER = map(parse_region, ("us-east-1", "eu-central-1", "eu-west-1"))
NO_RETRY: Final = Config(retries={"total_max_attempts": 1})
CODE: Final = """
import boto3, botocore.config, botocore.exceptions
def handler(event, context):
    once = botocore.config.Config(retries={"total_max_attempts": 1})
    queues = boto3.client("sqs", region_name=event["region"], config=once)
    try:
        return {"reached": bool(queues.list_queues()["ResponseMetadata"])}
    except botocore.exceptions.ClientError as error:
        return {"code": error.response["Error"]["Code"]}
"""
_NUMBERS: Final = itertools.count(1)


@pytest.fixture
def faulty(emulator: Emulator) -> Iterator[Emulator]:
    yield emulator
    emulator.set_regions(RegionFaults())


def account(emulator: Emulator) -> AccountId:
    return emulator.layout.lobby.account


def client(emulator: Emulator, region: Any, service: str) -> Any:
    return emulator.session(account(emulator), region).client(service, config=NO_RETRY)


def refused(call: Any) -> str:
    with pytest.raises(ClientError) as error:
        call()
    return str(error.value.response["Error"]["Code"])


def function(emulator: Emulator, region: Any) -> str:
    """Create a function that calls SQS in a Region, and return its name."""
    name, iam = f"caller-{next(_NUMBERS)}", client(emulator, region, "iam")
    principal = {"Effect": "Allow", "Principal": {"Service": "lambda.amazonaws.com"}, "Action": "sts:AssumeRole"}
    allowed = {"Effect": "Allow", "Action": "sqs:*", "Resource": "*"}
    role = iam.create_role(
        RoleName=name, AssumeRolePolicyDocument=json.dumps({"Version": "2012-10-17", "Statement": [principal]})
    )["Role"]
    iam.put_role_policy(
        RoleName=name, PolicyName="all", PolicyDocument=json.dumps({"Version": "2012-10-17", "Statement": [allowed]})
    )
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        archive.writestr("index.py", CODE)
    client(emulator, region, "lambda").create_function(
        FunctionName=name,
        Role=role["Arn"],
        Runtime="python3.11",
        Handler="index.handler",
        Code={"ZipFile": out.getvalue()},
        Timeout=20,
    )
    return name


def reach(emulator: Emulator, source: Any, name: str, region: Any) -> Any:
    """Return what the function in `source` got from SQS in `region`."""
    response = client(emulator, source, "lambda").invoke(FunctionName=name, Payload=json.dumps({"region": region}))
    return json.loads(response["Payload"].read())


def test_calls_to_a_region_that_is_down_are_refused_and_others_are_not(faulty: Emulator) -> None:
    faulty.set_regions(RegionFaults(down=(HOME,)))
    for service, call in (("dynamodb", "list_tables"), ("sqs", "list_queues"), ("s3", "list_buckets")):
        assert refused(getattr(client(faulty, HOME, service), call)) == "503"
    assert "TableNames" in client(faulty, DOOR, "dynamodb").list_tables()
    assert "Roles" in client(faulty, HOME, "iam").list_roles(), "IAM is global"
    faulty.set_regions(RegionFaults())
    assert "TableNames" in client(faulty, HOME, "dynamodb").list_tables()


def test_functions_in_regions_that_are_cut_off_do_not_reach_each_other(faulty: Emulator) -> None:
    name = function(faulty, DOOR)
    assert reach(faulty, DOOR, name, HOME) == {"reached": True}
    faulty.set_regions(RegionFaults(cuts=((HOME, DOOR),)))
    assert reach(faulty, DOOR, name, HOME) == {"code": "503"}
    assert reach(faulty, DOOR, name, OTHER) == {"reached": True}
    assert reach(faulty, DOOR, name, DOOR) == {"reached": True}
    for region in (HOME, DOOR):  # an operator reaches both
        assert client(faulty, region, "dynamodb").list_tables()["ResponseMetadata"]["HTTPStatusCode"] == 200


def faults(tmp_path: Path) -> CurrentFaults:
    RegionFaults(down=(HOME,)).write(tmp_path)
    return CurrentFaults(tmp_path)


def test_no_mapping_polls_in_a_region_that_is_down(tmp_path: Path) -> None:
    mappings = [("1", HOME, "stopped"), ("1", DOOR, "polled")]
    polled = region_outages._polling(lambda: iter(mappings), faults(tmp_path))
    assert list(polled()) == mappings[1:]


def test_no_function_starts_in_a_region_that_is_down(tmp_path: Path) -> None:
    acquire = region_outages._acquiring(lambda _func, config: (config, None), faults(tmp_path))
    stopped, started = ({"FunctionArn": f"arn:aws:lambda:{region}:100000000001:function:x"} for region in (HOME, DOOR))
    assert acquire({}, stopped) == (None, "account")
    assert acquire({}, started) == (started, None)


def test_no_timer_starts_in_a_region_that_is_down(tmp_path: Path) -> None:
    invoke = region_outages._timing(lambda *arguments: arguments, faults(tmp_path))
    for region, expected in ((HOME, None), (DOOR, (1, 2, 3, None))):
        with SCOPE.resolve()("100000000001", region):
            assert invoke(1, 2, 3) == expected


def test_devices_lose_a_region_that_is_down_and_connect_again_afterwards(faulty: Emulator) -> None:
    identity, scope = Identity(f"device-{next(_NUMBERS)}"), faulty.layout.lobby
    register(aws(faulty, 0, "iot"), identity)
    host = faulty.layout.server_name(scope)
    device = Device(faulty, identity, host).connect()
    faulty.set_regions(RegionFaults(down=(scope.region,)))
    assert device.lost.wait(10)
    device.close()
    with pytest.raises(AwsCrtError):
        Device(faulty, identity, host).connect()
    faulty.set_regions(RegionFaults())
    Device(faulty, identity, host).connect().close()


def test_an_unsigned_call_reaches_the_region_of_its_user_pool(emulator: Emulator) -> None:
    cognito = client(emulator, DOOR, "cognito-idp")
    pool = cognito.create_user_pool(PoolName="elsewhere")["UserPool"]["Id"]
    app = cognito.create_user_pool_client(
        UserPoolId=pool, ClientName="app", ExplicitAuthFlows=["ALLOW_USER_PASSWORD_AUTH", "ALLOW_REFRESH_TOKEN_AUTH"]
    )["UserPoolClient"]["ClientId"]
    password = "Correct-horse-1"  # pragma: allowlist secret
    cognito.admin_create_user(UserPoolId=pool, Username="somebody", MessageAction="SUPPRESS")
    cognito.admin_set_user_password(UserPoolId=pool, Username="somebody", Password=password, Permanent=True)
    signed_in = cognito.initiate_auth(
        ClientId=app,
        AuthFlow="USER_PASSWORD_AUTH",
        AuthParameters={"USERNAME": "somebody", "PASSWORD": password},
    )
    assert signed_in["AuthenticationResult"]["AccessToken"]
