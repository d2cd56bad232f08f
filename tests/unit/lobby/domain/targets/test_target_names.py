"""Which names of targets are accepted, and which look like another one."""

import pytest
from hypothesis import given
from hypothesis import strategies as some

from lobby.domain.targets.target_names import MAX_NAME, parse_target_name, require_distinct, skeleton
from lobby.errors import InvalidInput
from lobby.names import parse_target

HERE, THERE = parse_target("1" * 12, "eu-west-1"), parse_target("2" * 12, "eu-west-1")

ACCEPTED = [
    "Plant one",
    "Köln – Halle 3 (alt)",
    "A & B, 100 %",
    "Завод 1",
    "Αθήνα",
    "مصنع",
    "東京 Plant",
    "工場 トウキョウ",
    "서울 Lab",
    "Tiếng Việt",
    "x" * MAX_NAME,
]
REJECTED = {
    "": "1 to 64 characters",
    "x" * 65: "1 to 64 characters",
    " Plant": "no space at its ends",
    "Plant ": "no space at its ends",
    "Plant  one": "no double space",
    "Plant\u00a0one": "invisible",
    "Plant\u3000one": "invisible",
    "Plant\tone": "control",
    "Plant\none": "control",
    "Plant\x1b[2J": "control",
    "Plant\u200b": "invisible",
    "Pl\u00adant": "invisible",
    "\ufeffPlant": "invisible",
    "\u3164": "invisible",
    "Plant\u2800": "invisible",
    "Plant\ufe0f": "invisible",
    "Plant\u034f": "invisible",
    "Plant\u202eeno": "direction-changing",
    "Plant\u2066one": "direction-changing",
    "Plant\ue000": "control, invisible",
    "Plant\ud800": "control, invisible",
    "a\u0316\u0317\u0318": "at most 2 accents",
    "\u0301a": "at most 2 accents",
    "Ｐlant": "no wide, circled or styled ones",
    "𝐏lant": "no wide, circled or styled ones",
    "Plant ①": "no wide, circled or styled ones",
    "Plant Ⅳ": "no wide, circled or styled ones",
    "Рlant": "letters of one script",
    "Plаnt": "letters of one script",
    "Ρlant": "letters of one script",
    "Завод one": "letters of one script",
    "---": "at least one letter or digit",
    "222222222222/eu-west-1": "does not look like an account and Region",
    "22222222222O/eu-west-1": "does not look like an account and Region",
    "222222222222∕eu-west-1": "does not look like an account and Region",
}


@pytest.mark.parametrize("name", ACCEPTED)
def test_names_in_any_language_are_accepted(name: str) -> None:
    assert parse_target_name(name) == name


@pytest.mark.parametrize("name", REJECTED, ids=ascii)
def test_a_misleading_name_is_rejected_with_its_rule(name: str) -> None:
    with pytest.raises(InvalidInput, match="INVALID_NAME") as raised:
        parse_target_name(name)
    assert REJECTED[name] in raised.value.message
    assert raised.value.message.isascii()


@pytest.mark.parametrize("name", [None, 5, ["Plant"], {"a": 1}])
def test_a_name_is_text(name: object) -> None:
    with pytest.raises(InvalidInput, match="INVALID_NAME"):
        parse_target_name(name)


def test_equal_spellings_are_stored_as_one() -> None:
    assert parse_target_name("Ko\u0308ln") == "Köln"


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Plant one", "PLANT ONE"),
        ("Plant 1", "Plant l"),
        ("Plant 1", "Plant I"),
        ("Plant 0", "Plant O"),
        ("COCO", "СОСО"),
        ("Paris", "Раrіѕ"),
        ("Barn", "Bam"),
        ("Plant-1", "Plant–1"),
        ("Plant_1", "Plant-1"),
        ("O'Hara", "O’Hara"),
        ("Straße", "STRASSE"),
        ("Köln", "KÖLN"),
    ],
)
def test_names_that_look_alike_are_rejected(one: str, other: str) -> None:
    with pytest.raises(InvalidInput, match=r"NAME_IMITATES: .* 1{12}/eu-west-1; want one that looks different"):
        require_distinct(other, THERE, {HERE: one})


@pytest.mark.parametrize(
    ("one", "other"), [("Plant 1", "Plant 2"), ("Köln", "Koln"), ("A-B", "AB"), ("Line 5", "Line S")]
)
def test_names_that_differ_visibly_are_distinct(one: str, other: str) -> None:
    require_distinct(other, THERE, {HERE: one})


def test_a_target_does_not_imitate_itself() -> None:
    require_distinct("PLANT", HERE, {HERE: "Plant", THERE: "Other"})


@given(some.text(max_size=70))
def test_any_text_is_accepted_or_rejected_with_a_rule(text: str) -> None:
    try:
        name = parse_target_name(text)
    except InvalidInput:
        return
    assert name.isprintable()
    assert skeleton(name) == skeleton(name.upper().lower()) or not name.isascii()
