"""URLs and addresses to which no webhook may be sent, and those that are accepted."""

import ipaddress
from pathlib import Path
from typing import Any

import pytest

from lobby.errors import InvalidInput
from lobby.webhooks.addresses import is_public, parse_address
from lobby.webhooks.urls import Loopback, WebhookUrl, parse_url

HOSTILE = [
    "",
    "example.com",
    "http://example.com/",
    "HTTP://example.com/",
    "ftp://example.com/",
    "file:///etc/passwd",
    "gopher://example.com:443/",
    "//example.com/",
    "https:///path",
    "https://",
    "https:example.com",
    "https://user@example.com/",
    "https://user:password@example.com/",  # pragma: allowlist secret
    "https://example.com@127.0.0.1/",
    "https://127.0.0.1#@example.com/",
    "https://example.com/#fragment",
    "https://example.com\\@127.0.0.1/",
    "https://example.com /",
    "https://example.com/\r\nHost: internal",
    "https://example.com/\n",
    "https://example.com/\t",
    "https://exa\u3002mple.com/",
    "https://\uff11\uff12\uff17.0.0.1/",
    "https://ex\u00e4mple.com/",
    "https://127.0.0.1/",
    "https://127.1/",
    "https://127.0.0.1./",
    "https://2130706433/",
    "https://0x7f000001/",
    "https://0x7f.0.0.1/",
    "https://0x7f.0x0.0x0.0x1/",
    "https://017700000001/",
    "https://0177.0.0.1/",
    "https://0/",
    "https://0.0.0.0/",
    "https://10.0.0.1/",
    "https://169.254.169.254/latest/meta-data/",
    "https://2852039166/",
    "https://0xa9fea9fe/",
    "https://8.8.8.8/",
    "https://[::1]/",
    "https://[::ffff:127.0.0.1]/",
    "https://[::ffff:7f00:1]/",
    "https://[fd00:ec2::254]/",
    "https://[fe80::1%25eth0]/",
    "https://[2606:4700::1111]/",
    "https://[::]/",
    "https://localhost/",
    "https://localhost:8443/",
    "https://LOCALHOST/",
    "https://a.localhost/",
    "https://metadata.google.internal/",
    "https://printer.local/",
    "https://router.home.arpa/",
    "https://hidden.onion/",
    "https://1.0.0.127.in-addr.arpa/",
    "https://metadata/",
    "https://example/",
    "https://example.com.:443/",
    "https://-example.com/",
    "https://example..com/",
    "https://exa_mple.com/",
    f"https://{'a' * 64}.com/",
    f"https://{'a.' * 130}com/",
    "https://example.com:80/",
    "https://example.com:22/",
    "https://example.com:0/",
    "https://example.com:6379/",
    "https://example.com:65536/",
    "https://example.com:-1/",
    "https://example.com:https/",
    "https://example.com:443:443/",
    "https://%31%32%37.0.0.1/",
    "https://127.0.0.1.0x7f/",
    f"https://example.com/{'a' * 2048}",
    None,
    7,
]


@pytest.mark.parametrize("url", HOSTILE, ids=repr)
def test_a_hostile_url_is_rejected(url: object) -> None:
    with pytest.raises(InvalidInput) as failure:
        parse_url(url)
    assert failure.value.code == "INVALID_URL"


@pytest.mark.parametrize(
    ("url", "parts"),
    [
        ("https://example.com", WebhookUrl("example.com", 443, "/")),
        ("https://EXAMPLE.com/Path?token=a%20b&x", WebhookUrl("example.com", 443, "/Path?token=a%20b&x")),
        ("https://hooks.example.co.uk:8443/a/b", WebhookUrl("hooks.example.co.uk", 8443, "/a/b")),
        ("https://10.example.com/", WebhookUrl("10.example.com", 443, "/")),
        ("https://xn--exmple-cua.com/", WebhookUrl("xn--exmple-cua.com", 443, "/")),
    ],
)
def test_a_url_with_a_public_name_is_accepted(url: str, parts: WebhookUrl) -> None:
    assert parse_url(url) == parts


def test_an_error_does_not_quote_the_query() -> None:
    with pytest.raises(InvalidInput) as failure:
        parse_url("http://example.com/?token=hunter2")
    assert "hunter2" not in failure.value.message


NOT_PUBLIC = [
    "0.0.0.0",  # noqa: S104
    "10.1.2.3",
    "100.64.0.1",
    "127.0.0.1",
    "127.255.255.254",
    "169.254.169.254",
    "169.254.170.2",
    "172.16.0.1",
    "172.31.255.255",
    "192.0.0.1",
    "192.0.0.8",
    "192.0.2.1",
    "192.88.99.1",
    "192.168.1.1",
    "198.18.0.1",
    "198.51.100.1",
    "203.0.113.1",
    "224.0.0.1",
    "239.255.255.255",
    "240.0.0.1",
    "255.255.255.255",
    "::",
    "::1",
    "::ffff:127.0.0.1",
    "::ffff:10.0.0.1",
    "::ffff:169.254.169.254",
    "::127.0.0.1",
    "64:ff9b::7f00:1",
    "64:ff9b::a9fe:a9fe",
    "64:ff9b:1::1",
    "100::1",
    "2001:db8::1",
    "2001:10::1",
    "2002:7f00:1::",
    "2002:a9fe:a9fe::1",
    "2001:0:7f00:1::",
    "2001:0:4136:e378:8000:63bf:5601:5601",
    "fc00::1",
    "fd00:ec2::254",
    "fe80::1",
    "fe80::1%eth0",
    "fec0::1",
    "ff02::1",
    "4000::1",
    "3fff::1",
    "2a00:1450:1:1:0:5efe:7f00:1",
    "2a00:1450:1:1:200:5efe:169.254.169.254",
    "fe80::5efe:8.8.8.8",
    "fd00::200:5efe:8.8.8.8",
    "ff02::5efe:8.8.8.8",
    "::5efe:8.8.8.8",
    "2001:db8::5efe:8.8.8.8",
    "2001:0:808:808::f7f7:f7f7",
]


@pytest.mark.parametrize("address", NOT_PUBLIC)
def test_a_special_address_is_not_public(address: str) -> None:
    assert not is_public(parse_address(address))


@pytest.mark.parametrize(
    "address",
    [
        "1.1.1.1",
        "93.184.216.34",
        "172.32.0.1",
        "192.169.0.1",
        "2606:4700::1111",
        "::ffff:1.1.1.1",
        "64:ff9b::101:101",
        "2a00:1450:1:1:0:5efe:8.8.8.8",
        "2002:808:808::1",
    ],
)
def test_other_addresses_are_public(address: str) -> None:
    assert is_public(parse_address(address))


def test_no_block_that_python_calls_private_is_public() -> None:
    versions: tuple[Any, ...] = (ipaddress.IPv4Address, ipaddress.IPv6Address)
    for version in versions:
        for network in version._constants._private_networks:
            assert not is_public(network[0])
            assert not is_public(network[-1])


LOCAL = {"WEBHOOK_ROOTS": "/tmp/roots.pem", "AWS_ENDPOINT_URL": "http://127.0.0.1:4566"}  # noqa: S108


def test_only_the_local_cloud_allows_a_receiver_on_this_machine() -> None:
    allowed = Loopback.of_environment(LOCAL)
    assert allowed == Loopback(Path(LOCAL["WEBHOOK_ROOTS"]))
    assert parse_url("https://localhost:9443/hook", allowed) == WebhookUrl("localhost", 9443, "/hook")
    for url in ("http://localhost:9443/", "https://127.0.0.1:9443/", "https://example.com:9443/", "https://[::1]/"):
        with pytest.raises(InvalidInput):
            parse_url(url, allowed)


@pytest.mark.parametrize(
    "environment",
    [
        {},
        {"WEBHOOK_ROOTS": "/tmp/roots.pem"},  # noqa: S108
        {"AWS_ENDPOINT_URL": "http://127.0.0.1:4566"},
        {**LOCAL, "AWS_ENDPOINT_URL": "https://dynamodb.eu-west-1.amazonaws.com"},
        {**LOCAL, "AWS_ENDPOINT_URL": "http://127.0.0.1.example.com"},
    ],
)
def test_in_aws_no_variable_allows_it(environment: dict[str, str]) -> None:
    assert Loopback.of_environment(environment) is None
