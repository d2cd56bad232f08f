"""Patterns of thing names, compared with all names up to a length."""

import re
from itertools import product

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lobby.domain.name_patterns import includes, matches, overlap, parse_name_pattern
from lobby.errors import InvalidInput
from tests.tiers import examples

NAMES = ["".join(letters) for length in range(6) for letters in product("abc", repeat=length)]
"""All names of at most five letters, and the empty one. `c` is in no pattern, as most letters are in none."""
PATTERNS = st.text("ab?*", min_size=1, max_size=3).map(parse_name_pattern)


def regular(pattern: str) -> re.Pattern[str]:
    return re.compile(pattern.replace("*", ".*").replace("?", "."))


@settings(deadline=None, max_examples=examples(150))
@given(PATTERNS, st.sampled_from(NAMES[1:]))
def test_a_name_matches_as_with_the_regular_expression(pattern: str, name: str) -> None:
    normal = parse_name_pattern(pattern)
    assert matches(normal, name) is bool(regular(pattern).fullmatch(name))


@settings(deadline=None, max_examples=examples(150))
@given(PATTERNS, PATTERNS)
def test_comparisons_agree_with_the_names_that_both_match(one: str, other: str) -> None:
    left, right = ({name for name in NAMES if regular(each).fullmatch(name)} for each in (one, other))
    assert includes(parse_name_pattern(one), parse_name_pattern(other)) is (left >= right)
    assert overlap(parse_name_pattern(one), parse_name_pattern(other)) is bool(left & right)


@pytest.mark.parametrize(
    ("wide", "narrow"),
    [("*", "pump-*"), ("pump-*", "pump-1?"), ("p*", "pump-*-x"), ("*-x", "pump-*-x"), ("?*", "*?"), ("a*a", "aa")],
)
def test_a_wider_pattern_includes_a_narrower_one(wide: str, narrow: str) -> None:
    assert includes(parse_name_pattern(wide), parse_name_pattern(narrow))


def test_the_normal_form_has_no_redundant_wildcards() -> None:
    assert parse_name_pattern("a**b*?*?c") == "a*b??*c"


def test_a_long_pattern_is_compared_at_once() -> None:
    pattern = parse_name_pattern("*a?" * 42)
    assert overlap(pattern, pattern)
    assert not matches(pattern, "a" * 60)


def test_patterns_that_take_too_long_to_compare_are_not_comparable() -> None:
    many = parse_name_pattern("*a" + "?" * 60)
    assert not includes(many, parse_name_pattern("*b*a" + "?" * 60))


@pytest.mark.parametrize("text", ["", "a b", "a/b", "a#", "ä", "x" * 129, None, 5, "a\n"])
def test_anything_else_is_rejected(text: object) -> None:
    with pytest.raises(InvalidInput, match="INVALID_NAME_PATTERN"):
        parse_name_pattern(text)
