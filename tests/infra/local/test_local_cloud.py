"""The emulator with our layer, as a process: endpoints, certificates, rules, restarts. Real TLS, real devices."""

import json
import os
import signal
import socket
import ssl
import subprocess
import sys
import threading
import time
import zipfile
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest
from awscrt import mqtt
from awsiot import mqtt_connection_builder
from botocore.exceptions import ClientError
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from infra.local.emulator import Emulator
from infra.local.errors import StartFailed
from infra.local.ports import choose_layout
from lobby.names import parse_target

pytestmark = pytest.mark.e2e
ELSEWHERE = parse_target("400000000004", "eu-north-1")
POLICY = json.dumps({"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "iot:*", "Resource": "*"}]})


def free_ports() -> tuple[int, int, int]:
    """For gateway, MQTT and console."""
    with socket.socket() as one, socket.socket() as two, socket.socket() as three:
        for probe in (one, two, three):
            probe.bind(("127.0.0.1", 0))
        return one.getsockname()[1], two.getsockname()[1], three.getsockname()[1]


def until(condition: Callable[[], Any], seconds: float = 15) -> Any:
    deadline = time.monotonic() + seconds
    while not (found := condition()):
        assert time.monotonic() < deadline, "did not happen in time"
        time.sleep(0.02)
    return found


class Identity:
    """A key and a certificate, signed by `issuer` or by itself."""

    def __init__(self, name: str, issuer: "Identity | None" = None) -> None:
        self.name, self.key = name, ec.generate_private_key(ec.SECP256R1())
        subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
        now = datetime.now(UTC)
        builder = x509.CertificateBuilder().subject_name(subject).public_key(self.key.public_key())
        builder = builder.serial_number(x509.random_serial_number()).not_valid_before(now - timedelta(days=1))
        builder = builder.not_valid_after(now + timedelta(days=2))
        if issuer is None:
            builder = builder.add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        signer = issuer or self
        self.certificate: x509.Certificate = builder.issuer_name(
            issuer.certificate.subject if issuer else subject
        ).sign(signer.key, hashes.SHA256())
        self.pem = self.certificate.public_bytes(serialization.Encoding.PEM).decode()
        self.key_pem = self.key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
        self.id = self.certificate.fingerprint(hashes.SHA256()).hex()


class Device:
    """A connection as a device makes it: by an address, so without a server name."""

    def __init__(self, cloud: Emulator, identity: Identity, host: str) -> None:
        self.lost, self.messages = threading.Event(), list[bytes]()
        self._mqtt = mqtt_connection_builder.mtls_from_bytes(
            cert_bytes=identity.pem.encode(),
            pri_key_bytes=identity.key_pem,
            ca_filepath=str(cloud.server_ca()),
            endpoint=host,
            port=cloud.layout.mqtt_port,
            client_id=identity.name,
            clean_session=True,
            on_connection_interrupted=lambda **_: self.lost.set(),
        )

    def connect(self) -> "Device":
        self._mqtt.connect().result(10)
        return self

    def listen(self, topic: str) -> None:
        self._mqtt.subscribe(
            topic, mqtt.QoS.AT_LEAST_ONCE, callback=lambda payload, **_: self.messages.append(payload)
        )[0].result(10)

    def publish(self, topic: str, body: str) -> None:
        self._mqtt.publish(topic, body, mqtt.QoS.AT_LEAST_ONCE)[0].result(10)

    def close(self) -> None:
        self._mqtt.disconnect().result(10)


@pytest.fixture(scope="module")
def cloud(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Emulator]:
    layout = choose_layout(tmp_path_factory.mktemp("cloud"), *free_ports())
    with Emulator(layout) as running:
        yield running


def register(iot: Any, identity: Identity) -> None:
    arn = iot.register_certificate_without_ca(certificatePem=identity.pem, status="ACTIVE")["certificateArn"]
    allow(iot, arn)


def allow(iot: Any, arn: str) -> None:
    if "all" not in [each["policyName"] for each in iot.list_policies()["policies"]]:
        iot.create_policy(policyName="all", policyDocument=POLICY)
    iot.attach_policy(policyName="all", target=arn)


def of(cloud: Emulator, number: int, service: str) -> Any:
    scope = cloud.layout.scopes()[number]
    return cloud.session(scope.account, scope.region).client(service)


def status(iot: Any, identity: Identity) -> str | None:
    try:
        return str(iot.describe_certificate(certificateId=identity.id)["certificateDescription"]["status"])
    except ClientError:
        return None


def test_a_certificate_active_in_two_accounts_serves_the_one_that_was_dialled(cloud: Emulator) -> None:
    identity = Identity("two-homes")
    for number in (1, 2):
        register(of(cloud, number, "iot"), identity)
    devices = []
    for number in (1, 2):
        host = of(cloud, number, "iot").describe_endpoint(endpointType="iot:Data-ATS")["endpointAddress"]
        assert host == cloud.layout.endpoint_address(cloud.layout.scopes()[number])
        devices.append(Device(cloud, identity, host).connect())
        devices[-1].listen("t")
    of(cloud, 1, "iot-data").publish(topic="t", qos=1, payload=b"first")
    of(cloud, 2, "iot-data").publish(topic="t", qos=1, payload=b"second")
    until(lambda: all(device.messages for device in devices))
    assert [device.messages for device in devices] == [[b"first"], [b"second"]]
    for device in devices:
        device.close()


def test_an_account_never_heard_of_has_an_endpoint_that_devices_reach(cloud: Emulator) -> None:
    iot = cloud.session(ELSEWHERE.account, ELSEWHERE.region).client("iot")
    identity = Identity("far-away")
    register(iot, identity)
    host = iot.describe_endpoint(endpointType="iot:Data-ATS")["endpointAddress"]
    Device(cloud, identity, host).connect().close()


@pytest.mark.parametrize("elsewhere", [False, True], ids=["unknown", "active-in-a-target"])
def test_a_ca_that_wants_a_server_name_registers_a_device_that_dials_an_address(
    cloud: Emulator, elsewhere: bool
) -> None:
    ca = Identity(f"ca-{elsewhere}")
    lobby = of(cloud, 0, "iot")
    lobby.register_ca_certificate(
        caCertificate=ca.pem, certificateMode="SNI_ONLY", setAsActive=True, allowAutoRegistration=True
    )
    identity = Identity("newcomer", ca)
    if elsewhere:
        register(of(cloud, 1, "iot"), identity)
    with pytest.raises(Exception, match="UNEXPECTED_HANGUP"):
        Device(cloud, identity, cloud.layout.endpoint(cloud.layout.lobby).host).connect()
    until(lambda: status(lobby, identity) == "PENDING_ACTIVATION")
    assert status(of(cloud, 1, "iot"), identity) == ("ACTIVE" if elsewhere else None)


def test_a_ca_of_one_account_registers_nobody_who_dials_another(cloud: Emulator) -> None:
    ca = Identity("ca-of-a-target")
    of(cloud, 1, "iot").register_ca_certificate(
        caCertificate=ca.pem, certificateMode="SNI_ONLY", setAsActive=True, allowAutoRegistration=True
    )
    identity = Identity("stranger", ca)
    with pytest.raises(Exception, match="UNEXPECTED_HANGUP"):
        Device(cloud, identity, cloud.layout.endpoint(cloud.layout.lobby).host).connect()
    assert [status(of(cloud, number, "iot"), identity) for number in (0, 1)] == [None, None]


def test_a_deactivated_certificate_loses_its_sessions_there_and_only_there(cloud: Emulator) -> None:
    identity = Identity("to-be-revoked")
    devices = []
    for number in (1, 2):
        register(of(cloud, number, "iot"), identity)
        host = cloud.layout.endpoint(cloud.layout.scopes()[number]).host
        devices.append(Device(cloud, identity, host).connect())
    of(cloud, 1, "iot").update_certificate(certificateId=identity.id, newStatus="INACTIVE")
    assert devices[0].lost.wait(10)
    assert not devices[1].lost.is_set()
    devices[1].listen("still/here")
    devices[1].close()


def test_a_client_without_a_certificate_is_refused(cloud: Emulator) -> None:
    context = ssl.create_default_context(cafile=str(cloud.server_ca()))
    address = ("127.0.0.1", cloud.layout.mqtt_port)
    with socket.create_connection(address, 10) as plain, context.wrap_socket(plain, server_hostname="127.0.0.1") as tls:
        tls.sendall(b"\x10\x0d\x00\x04MQTT\x04\x02\x00\x3c\x00\x01x")
        assert tls.recv(16) == b""


@pytest.mark.skipif(not Path("/proc/net/tcp").exists(), reason="lists sockets by /proc")
def test_nothing_listens_outside_loopback(cloud: Emulator) -> None:
    inodes = set()
    for fd in Path(f"/proc/{cloud.pid}/fd").iterdir():
        if fd.exists() or fd.is_symlink():
            inodes.add(str(fd.readlink()).removeprefix("socket:[").removesuffix("]"))
    listening = []
    for table in ("tcp", "tcp6"):
        for line in Path(f"/proc/net/{table}").read_text().splitlines()[1:]:
            fields = line.split()
            if fields[3] == "0A" and fields[9] in inodes:
                listening.append((table, fields[1]))
    assert len(listening) >= 4
    assert all(table == "tcp" and address.split(":")[0].endswith("7F") for table, address in listening)


def code(body: str) -> bytes:
    out = BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        archive.writestr("index.py", body)
    return out.getvalue()


def failing_function(cloud: Emulator, name: str, queue_arn: str) -> str:
    role = of(cloud, 0, "iam").create_role(RoleName=name, AssumeRolePolicyDocument="{}")["Role"]["Arn"]
    functions = of(cloud, 0, "lambda")
    arn = functions.create_function(
        FunctionName=name,
        Role=role,
        Runtime="python3.13",
        Handler="index.handler",
        Code={"ZipFile": code("def handler(event, context):\n    raise RuntimeError('always')\n")},
    )["FunctionArn"]
    functions.put_function_event_invoke_config(
        FunctionName=name, MaximumRetryAttempts=1, DestinationConfig={"OnFailure": {"Destination": queue_arn}}
    )
    return str(arn)


def queue(cloud: Emulator, name: str) -> tuple[str, str]:
    sqs = of(cloud, 0, "sqs")
    url = sqs.create_queue(QueueName=name)["QueueUrl"]
    return url, sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]


def received(cloud: Emulator, url: str) -> list[dict[str, Any]]:
    found = of(cloud, 0, "sqs").receive_message(QueueUrl=url, WaitTimeSeconds=0).get("Messages", [])
    return [json.loads(each["Body"]) for each in found]


def test_a_rule_needs_permission_and_its_failures_reach_the_destination(cloud: Emulator) -> None:
    failed_url, failed_arn = queue(cloud, "failed")
    refused_url, _ = queue(cloud, "refused")
    function = failing_function(cloud, "always-fails", failed_arn)
    of(cloud, 0, "iot").create_topic_rule(
        ruleName="tell",
        topicRulePayload={
            "sql": "SELECT clientid() AS who FROM 'tell'",
            "actions": [{"lambda": {"functionArn": function}}],
            "errorAction": {"sqs": {"queueUrl": refused_url, "roleArn": "arn:aws:iam::100000000001:role/x"}},
        },
    )
    identity = Identity("teller")
    register(of(cloud, 0, "iot"), identity)
    device = Device(cloud, identity, cloud.layout.endpoint(cloud.layout.lobby).host).connect()
    device.publish("tell", "{}")
    (refused,) = until(lambda: received(cloud, refused_url))
    assert "no permission" in refused["failures"][0]["errorMessage"]
    of(cloud, 0, "lambda").add_permission(
        FunctionName="always-fails",
        StatementId="rule",
        Action="lambda:InvokeFunction",
        Principal="iot.amazonaws.com",
        SourceArn="arn:aws:iot:us-east-1:100000000001:rule/tell",
    )
    device.publish("tell", "{}")
    (failure,) = until(lambda: received(cloud, failed_url))
    assert failure["requestPayload"] == {"who": "teller"}
    device.close()


def test_a_topic_owner_cannot_subscribe_anothers_queue_without_its_word(cloud: Emulator) -> None:
    url, arn = queue(cloud, "arrivals")
    topics = of(cloud, 1, "sns")
    topic = topics.create_topic(Name="arrivals")["TopicArn"]
    allowed = {"Effect": "Allow", "Principal": {"Service": "sns.amazonaws.com"}, "Action": "sqs:*", "Resource": arn}
    policy = json.dumps({"Version": "2012-10-17", "Statement": [allowed]})
    of(cloud, 0, "sqs").set_queue_attributes(QueueUrl=url, Attributes={"Policy": policy})
    answer = topics.subscribe(TopicArn=topic, Protocol="sqs", Endpoint=arn)
    assert answer["SubscriptionArn"] == "pending confirmation"
    topics.publish(TopicArn=topic, Message="too early")
    (asked,) = until(lambda: received(cloud, url))
    assert (asked["Type"], asked["TopicArn"]) == ("SubscriptionConfirmation", topic)
    topics.confirm_subscription(TopicArn=topic, Token=asked["Token"])
    topics.publish(TopicArn=topic, Message="now")
    (message,) = until(lambda: received(cloud, url))
    assert (message["Message"], message["TopicArn"]) == ("now", topic)


def test_every_call_is_logged_with_its_caller_and_action(cloud: Emulator) -> None:
    of(cloud, 2, "sqs").list_queues()
    lines = [json.loads(line) for line in cloud.layout.access_log_path.read_text().splitlines()]
    last = next(line for line in reversed(lines) if line["service"] == "sqs" and line["account"] == "300000000003")
    assert (last["action"], last["region"], last["status"]) == ("sqs:ListQueues", "ap-southeast-2", 200)
    assert last["principal"] == "arn:aws:iam::300000000003:root"


def test_a_second_emulator_on_the_same_state_is_refused(cloud: Emulator) -> None:
    with pytest.raises(StartFailed, match="STATE_IN_USE"):
        Emulator(choose_layout(cloud.layout.state_dir, *free_ports())).start()
    assert of(cloud, 0, "sts").get_caller_identity()["Account"] == "100000000001"


@pytest.mark.parametrize("which", ["gateway", "mqtt", "console"])
def test_a_taken_port_is_named(tmp_path: Path, which: str) -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        taken = other.getsockname()[1]
        ports = dict(zip(("gateway", "mqtt", "console"), free_ports(), strict=True)) | {which: taken}
        with pytest.raises(StartFailed, match=f"cannot listen on 127.0.0.1:{taken}"):
            Emulator(choose_layout(tmp_path, *ports.values())).start()


def table(dynamodb: Any) -> None:
    dynamodb.create_table(
        TableName="ledger",
        KeySchema=[{"AttributeName": "id", "KeyType": "HASH"}],
        AttributeDefinitions=[{"AttributeName": "id", "AttributeType": "S"}],
        BillingMode="PAY_PER_REQUEST",
        StreamSpecification={"StreamEnabled": True, "StreamViewType": "NEW_IMAGE"},
    )


@pytest.mark.parametrize("how", ["stopped", "killed"])
def test_rows_streams_and_endpoints_outlive_the_emulator(tmp_path: Path, how: str) -> None:
    cloud = Emulator(choose_layout(tmp_path, *free_ports()))
    cloud.start()
    try:
        dynamodb, identity = of(cloud, 0, "dynamodb"), Identity("stays")
        table(dynamodb)
        register(of(cloud, 1, "iot"), identity)
        # A table is in the snapshot that follows its creation; the rows after that are in the journal.
        until(lambda: '"ledger"' in _saved(tmp_path, "dynamodb") and identity.id in _saved(tmp_path, "iot"))
        for number in range(20):
            dynamodb.put_item(TableName="ledger", Item={"id": {"S": str(number)}})
        add = {"ExpressionAttributeValues": {":one": {"N": "1"}}, "UpdateExpression": "ADD times :one"}
        dynamodb.update_item(TableName="ledger", Key={"id": {"S": "0"}}, **add)
        if how == "killed":
            assert cloud.pid
            os.kill(cloud.pid, signal.SIGKILL)
            cloud.wait()
        cloud.stop()
        cloud.start()
        assert dynamodb.scan(TableName="ledger", Select="COUNT")["Count"] == 20
        assert dynamodb.get_item(TableName="ledger", Key={"id": {"S": "0"}})["Item"]["times"] == {"N": "1"}
        assert len(_stream(cloud, dynamodb)) == 21
        Device(cloud, identity, cloud.layout.endpoint(cloud.layout.scopes()[1]).host).connect().close()
    finally:
        cloud.stop()


def _saved(state: Path, service: str) -> str:
    path = state / "services" / f"{service}.json"
    return path.read_text() if path.exists() else ""


def _stream(cloud: Emulator, dynamodb: Any) -> list[Any]:
    streams = of(cloud, 0, "dynamodbstreams")
    arn = dynamodb.describe_table(TableName="ledger")["Table"]["LatestStreamArn"]
    shard = streams.describe_stream(StreamArn=arn)["StreamDescription"]["Shards"][0]["ShardId"]
    iterator = streams.get_shard_iterator(StreamArn=arn, ShardId=shard, ShardIteratorType="TRIM_HORIZON")
    records: list[Any] = streams.get_records(ShardIterator=iterator["ShardIterator"])["Records"]
    return records


def test_the_emulator_leaves_with_the_process_that_started_it(tmp_path: Path) -> None:
    layout = choose_layout(tmp_path, *free_ports())
    program = (
        "import sys\nfrom pathlib import Path\nfrom infra.local.emulator import Emulator\n"
        "from infra.local.ports import choose_layout\n"
        "cloud = Emulator(choose_layout(Path(sys.argv[1])))\ncloud.start()\n"
        "print(cloud.pid, flush=True)\nsys.stdin.read()\n"
    )
    command = [sys.executable, "-c", program, str(layout.state_dir)]
    root = Path(__file__).resolve().parents[3]
    with subprocess.Popen(command, cwd=root, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as parent:
        assert parent.stdout
        child = int(parent.stdout.readline())
        parent.kill()
    until(lambda: not _is_running(child))


def _is_running(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return b" Z " not in Path(f"/proc/{pid}/stat").read_bytes() if Path("/proc").exists() else True


def test_a_session_signs_as_the_root_of_its_account(cloud: Emulator) -> None:
    session = cloud.session(ELSEWHERE.account, ELSEWHERE.region)
    assert session.client("sts").get_caller_identity()["Arn"] == "arn:aws:iam::400000000004:root"
