"""The claim of a thing: its text, and the limits of AWS IoT."""

import re

import pytest

from lobby.domain.targets.target_rules import connected_sql, duplicates_sql
from lobby.domain.targets.thing_claim import Progress, ThingClaim, names_device, parse_claim
from lobby.names import Fingerprint

CERTID, FIRST = Fingerprint("ab" * 32), Fingerprint("01" * 32)
ATTRIBUTE_VALUE = re.compile(r"[a-zA-Z0-9_.,@/:#=\[\]-]{1,800}")
"""What AWS IoT accepts (API reference, AttributePayload)."""
LOBBY = "111122223333/eu-west-1"


@pytest.mark.parametrize("lobby", [LOBBY, f"{LOBBY}/staging"])
@pytest.mark.parametrize("progress", Progress)
def test_a_claim_is_read_as_it_was_written(lobby: str, progress: Progress) -> None:
    claim = ThingClaim(12, "camera-2", lobby, CERTID).with_progress(progress)
    assert parse_claim(str(claim)) == claim
    assert ATTRIBUTE_VALUE.fullmatch(str(claim))


def test_the_longest_claim_fits_an_attribute() -> None:
    longest = ThingClaim(10**18 - 1, "x" * 32, "111122223333/ap-southeast-99/abcdefghijkl", CERTID)
    assert parse_claim(str(longest)) == longest
    assert ATTRIBUTE_VALUE.fullmatch(str(longest))


VALID = f"1:default:awaited:{LOBBY}:{CERTID}"


@pytest.mark.parametrize(
    "text",
    [
        None,
        7,
        "",
        VALID + "\n",
        VALID.replace("1:", "-1:", 1),
        VALID.replace("1:", "١:", 1),
        VALID.replace("awaited", "lost"),
        VALID.replace("awaited", "AWAITED"),
        VALID.replace(CERTID, CERTID.upper()),
        VALID.replace(LOBBY, "111122223333"),
        VALID + ":more",
        "x" * 100_000,
    ],
)
def test_other_text_is_no_claim(text: object) -> None:
    assert parse_claim(text) is None


@pytest.mark.parametrize(
    ("certid", "claimed", "certificates", "expected"),
    [
        (FIRST, CERTID, (FIRST, CERTID), True),
        (FIRST, CERTID, (CERTID, CERTID), True),  # the lobby that registered it knows it by an earlier certificate
        (CERTID, CERTID, (FIRST, CERTID), True),  # by a later one
        (CERTID, None, (CERTID, CERTID), True),
        (FIRST, None, (CERTID, CERTID), False),
        (FIRST, FIRST, (CERTID, CERTID), False),
        (None, None, (CERTID, CERTID), False),
    ],
)
def test_a_thing_belongs_to_the_device_of_which_it_names_a_certificate(
    certid: Fingerprint | None,
    claimed: Fingerprint | None,
    certificates: tuple[Fingerprint, ...],
    expected: bool,
) -> None:
    claim = ThingClaim(1, "default", LOBBY, claimed) if claimed else None
    assert names_device(certid, claim, certificates) is expected


def test_a_rule_selects_devices_by_the_end_of_the_claim() -> None:
    role = "arn:aws:iam::111122223333:role/device-lobby-rules-eu-west-1"
    awaited, arrived = str(parse_claim(VALID)), VALID.replace("awaited", "arrived")
    [suffix] = re.findall(r"concat\('([^']*)', principalIdentifier\)\)\Z", connected_sql(LOBBY, role))
    assert awaited.endswith(suffix + CERTID)
    assert not arrived.endswith(suffix + CERTID)
    assert not awaited.replace(LOBBY, f"{LOBBY}/staging").endswith(suffix + CERTID)
    [suffix] = re.findall(r"concat\('([^']*)', principalIdentifier\)\)\Z", duplicates_sql(LOBBY, role))
    assert arrived.endswith(suffix + CERTID)
    assert f"get_registry_data('DescribeThing', clientId, '{role}').attributes.claim" in connected_sql(LOBBY, role)
