"""What `lobby-verify` verifies: a valid export is consistent, and each change of it is refused with its entry."""

from collections.abc import Callable
from copy import deepcopy
from dataclasses import replace
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import ec

from lobby.domain.history.history_audit import ANCHORED_WITHIN, Fault
from lobby.domain.history.history_export import MAX_ENTRIES, Origin, digest, history_export, signed
from lobby.errors import Conflict
from lobby.names import Fingerprint
from lobby.verify_history import Refused, verify
from tests.history_key import KEY_NAME, sign_with
from tests.unit.lobby.domain.tampering import CERTID, TAMPERED, Case, anchors_of, chain, row_after, valid
from tests.unit.lobby.exported_history import BUCKET, LOBBY, Json, changed, exported, listing, sealed, unsigned

OTHER = Fingerprint("cd" * 32)


def refusal(export: Any, *more: Any) -> tuple[str, int | None]:
    with pytest.raises(Refused) as caught:
        verify(export, *more)
    assert len(str(caught.value)) < 400
    return caught.value.code, caught.value.seq


def test_a_valid_export_is_consistent() -> None:
    export = exported(valid())
    found = {"entries": 5, "pending": 0, "listed": 0, "last_listed": 0, "key": KEY_NAME}
    assert verify(export) == verify(export, KEY_NAME) == found
    assert verify(export, KEY_NAME, listing(export), CERTID) == found | {"listed": 5, "last_listed": 5}


@pytest.mark.parametrize("tamper", TAMPERED, ids=lambda each: each.__name__)
def test_what_the_lobby_finds_in_its_ledger_is_found_in_an_export_of_it(tamper: Callable[[Case], None]) -> None:
    case = valid()
    tamper(case)
    seq, fault = TAMPERED[tamper]
    assert refusal(exported(case), KEY_NAME) == (fault.value, max(seq, 1)), "an item numbered 0 is in the first place"


ENTRY = exported(valid())["entries"][0]


@pytest.mark.parametrize("seq", [1, 3, 5])
@pytest.mark.parametrize("name", ENTRY)
@pytest.mark.parametrize("value", [None, True, 7, -1, 1.5, "x", "", [], {}, OTHER, "\ud800\x1b[31m"], ids=repr)
def test_a_changed_field_is_refused_with_its_entry(seq: int, name: str, value: Any) -> None:
    export = exported(valid())
    if export["entries"][seq - 1][name] == value:
        return
    export["entries"][seq - 1][name] = value
    code, found = refusal(export, KEY_NAME)
    assert found == seq
    assert code in {"ALTERED", "MISSING", "REPLACED"}


@pytest.mark.parametrize("name", ENTRY)
def test_a_missing_field_and_another_one_are_refused_with_their_entry(name: str) -> None:
    export, more = exported(valid()), exported(valid())
    del export["entries"][2][name]
    more["entries"][2][name + "2"] = "x"
    assert refusal(export) == refusal(more) == ("ALTERED", 3)


def test_a_changed_field_of_the_export_is_refused() -> None:
    values: tuple[Any, ...] = (None, "x", OTHER, [], 1, {})
    for name in unsigned(valid()):
        for value in values:
            export = exported(valid())
            export[name] = value
            assert refusal(export, KEY_NAME)[0]


@pytest.mark.parametrize("name", ["version", "head", "state", "generation", "target"])
@pytest.mark.parametrize("value", [None, 0, 99, "x", True])
def test_a_changed_row_is_refused(name: str, value: Any) -> None:
    export = exported(valid())
    export["row"][name] = value
    assert refusal(export)[0] in {"ROW_DIFFERS", "MISSING"}


def test_removed_reordered_and_repeated_entries_are_refused_with_their_number() -> None:
    for seq in range(1, 6):
        export = exported(valid())
        del export["entries"][seq - 1]
        assert refusal(export, KEY_NAME) == ("MISSING", seq)
    for first in range(1, 5):
        export = exported(valid())
        entries = export["entries"]
        entries[first - 1], entries[first] = entries[first], entries[first - 1]
        assert refusal(export, KEY_NAME) == ("ALTERED", first)
        repeated = exported(valid())
        repeated["entries"].insert(first, deepcopy(repeated["entries"][first - 1]))
        assert refusal(repeated, KEY_NAME) == ("ALTERED", first + 1)
    assert refusal(changed(valid(), lambda each: each["entries"].clear())) == ("MISSING", 1)


def test_entries_of_another_device_are_refused() -> None:
    case = valid()
    case.entries[2] = replace(case.entry(3), certid=OTHER).with_hash()
    assert refusal(exported(case)) == ("ALTERED", 3)
    assert refusal(exported(valid()), None, None, OTHER) == ("OTHER_DEVICE", None)


def _rewritten() -> Json:
    """A history that was rewritten from entry 3 on with a matching row and matching anchors, after it was signed."""
    entries = chain(changed=3)
    forged = unsigned(Case([*entries], row_after(entries), anchors_of(entries)))
    return forged | {"signature": exported(valid())["signature"]}


def test_a_history_that_was_rewritten_with_its_anchors_is_refused_by_the_signature_and_by_the_bucket() -> None:
    assert refusal(_rewritten()) == ("SIGNATURE", None)
    assert refusal(_rewritten(), KEY_NAME) == ("SIGNATURE", None)
    assert refusal(_rewritten(), None, listing(exported(valid()))) == ("FORGED_ANCHOR", 3)


def test_a_signature_by_another_key_is_refused_if_the_key_is_named() -> None:
    key = ec.derive_private_key(0xBAD, ec.SECP256R1())
    content = {name: each for name, each in _rewritten().items() if name != "signature"}
    forged = dict(signed(content, sign_with(key, digest(content))))
    assert refusal(forged, KEY_NAME) == ("OTHER_KEY", None)
    assert refusal(forged, None, listing(exported(valid()))) == ("FORGED_ANCHOR", 3)
    assert verify(forged)["key"] != KEY_NAME, "consistent, and not trusted"


@pytest.mark.parametrize(
    "value",
    ["", "!", "AAAA", exported(valid())["signature"]["key"], "MEUCIQ=="],
)
@pytest.mark.parametrize("name", ["key", "value", "algorithm"])
def test_a_damaged_signature_is_refused(name: str, value: str) -> None:
    export = exported(valid())
    if export["signature"][name] != value:
        export["signature"][name] = value
        assert refusal(export)[0] == "SIGNATURE"


def test_a_key_on_another_curve_is_refused() -> None:
    content = unsigned(valid())
    key = ec.derive_private_key(0xBAD, ec.SECP384R1())
    assert refusal(dict(signed(content, sign_with(key, digest(content))))) == ("SIGNATURE", None)


@pytest.mark.parametrize(
    "key",
    [
        "",
        "entries/x",
        f"entries/{OTHER}/0000000003-{'a' * 64}",
        f"entries/{CERTID}/3-{'a' * 64}",
        f"entries/{CERTID}/0000000003-{'A' * 64}",
        f"../{CERTID}",
    ],
)
def test_a_forged_anchor_is_refused(key: str) -> None:
    export = unsigned(valid())
    export["anchors"][2]["key"] = key
    assert refusal(sealed(export))[0] == "FORGED_ANCHOR"


def test_an_anchor_that_the_bucket_does_not_have_is_refused_with_its_entry() -> None:
    export = exported(valid())
    bucket = listing(export)
    bucket["Versions"][3]["VersionId"] = "another"
    assert refusal(export, KEY_NAME, bucket) == ("FORGED_ANCHOR", 4)
    marked = listing(export) | {"DeleteMarkers": [bucket["Versions"][1]]}
    assert refusal(export, KEY_NAME, marked) == ("ANCHOR_REMOVED", 2)
    second = deepcopy(listing(export))
    second["Versions"].append({"Key": f"entries/{CERTID}/0000000002-{'a' * 64}", "VersionId": "v"})
    assert refusal(export, KEY_NAME, second) == ("REPLACED", 2)


@pytest.mark.parametrize(
    "bucket", [[], "x", 1, {"Versions": 1}, {"Versions": [1]}, {"Versions": [{"Key": 1}]}, {"Versions": [{}]}]
)
def test_a_listing_that_is_none_is_refused(bucket: Any) -> None:
    assert refusal(exported(valid()), KEY_NAME, bucket) == ("UNREADABLE", None)


def test_entries_without_an_anchor_are_pending_for_fifteen_minutes() -> None:
    entries = chain(age=ANCHORED_WITHIN / 2)
    case = Case([*entries], row_after(entries), anchors_of(entries[:3]))
    assert verify(exported(case))["pending"] == 2
    case.now += ANCHORED_WITHIN
    assert refusal(exported(case)) == (Fault.NOT_ANCHORED.value, 4)


def test_a_history_that_is_too_long_is_not_exported() -> None:
    origin = Origin(LOBBY, BUCKET, "user:ann", "2026-11-30T00:00:00.000Z")
    with pytest.raises(Conflict, match="HISTORY_TOO_LONG"):
        history_export(CERTID, [valid().entry(1)] * (MAX_ENTRIES + 1), None, [], origin)
