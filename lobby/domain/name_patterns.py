"""Patterns of thing names: `*` matches any number of characters, including none, and `?` matches one.

Two patterns can be compared: whether each name that one matches is also matched by the other, and whether some name is
matched by both. A prefix is a pattern that ends with `*`. Regular expressions are not used: they cannot be compared,
and some take time that grows exponentially with the name.
"""

import re
from functools import cache
from typing import Final, NewType

from lobby.errors import InvalidInput
from lobby.names import shown

NamePattern = NewType("NamePattern", str)
"""A pattern without redundant wildcards: in a sequence of wildcards, each `?` precedes the only `*`."""
MAX_LENGTH: Final = 128
_MAX_STEPS: Final = 1000
_OTHER: Final = "/"
"""A placeholder for a letter that is in no pattern. It is in no thing name either."""
_PATTERN: Final = re.compile(r"[a-zA-Z0-9:_*?-]{1,128}")
_WILDCARDS: Final = re.compile(r"[*?]*\*[*?]*")


def parse_name_pattern(text: object) -> NamePattern:
    """Return the pattern in its normal form. Raise `InvalidInput` INVALID_NAME_PATTERN."""
    if isinstance(text, str) and _PATTERN.fullmatch(text):
        return NamePattern(_WILDCARDS.sub(lambda found: "?" * found[0].count("?") + "*", text))
    want = f"want 1 to {MAX_LENGTH} of a-z A-Z 0-9 : _ - and the wildcards * and ?"
    raise InvalidInput("INVALID_NAME_PATTERN", f"got {shown(text)}, {want}")


def matches(pattern: NamePattern, name: str) -> bool:
    """Return whether a thing name, which contains no wildcard, matches."""
    reached = _reached(pattern, {0})
    for letter in name:
        reached = _step(pattern, reached, letter)
    return len(pattern) in reached


def includes(wide: NamePattern, narrow: NamePattern) -> bool:
    """Return whether each name that `narrow` matches is also matched by `wide`. Return False as well if the comparison
    takes more than `_MAX_STEPS`: such patterns are treated as not comparable.

    Names are spelled letter by letter, with the positions that are reached in both patterns (Hopcroft, Motwani and
    Ullman, "Introduction to Automata Theory", section 2.3.5). Letters that are in neither pattern are all alike."""
    letters = [*sorted({*wide, *narrow} - {"*", "?"}), _OTHER]
    start = (_reached(narrow, {0}), _reached(wide, {0}))
    seen, pending = {start}, [start]
    while pending:
        if len(seen) > _MAX_STEPS:
            return False
        inner, outer = pending.pop()
        if len(narrow) in inner and len(wide) not in outer:
            return False
        for letter in letters:
            after = (_step(narrow, inner, letter), _step(wide, outer, letter))
            if after[0] and after not in seen:
                seen.add(after)
                pending.append(after)
    return True


def _step(pattern: str, reached: frozenset[int], letter: str) -> frozenset[int]:
    after = set()
    for at in reached:
        symbol = pattern[at : at + 1]
        if symbol == "*":
            after.add(at)
        elif symbol in ("?", letter) and symbol:
            after.add(at + 1)
    return _reached(pattern, after)


def _reached(pattern: str, positions: set[int]) -> frozenset[int]:
    """Return the positions, including those that are reached if `*` matches nothing. No two `*` are adjacent."""
    return frozenset(positions | {at + 1 for at in positions if pattern[at : at + 1] == "*"})


def overlap(one: NamePattern, other: NamePattern) -> bool:
    """Return whether some name is matched by both."""

    @cache
    def rest_overlaps(at: int, there: int) -> bool:
        left, right = one[at : at + 1], other[there : there + 1]
        if left == "*":
            return rest_overlaps(at + 1, there) or (bool(right) and rest_overlaps(at, there + 1))
        if right == "*":
            return rest_overlaps(at, there + 1) or (bool(left) and rest_overlaps(at + 1, there))
        if not left or not right:
            return left == right
        return ("?" in (left, right) or left == right) and rest_overlaps(at + 1, there + 1)

    return rest_overlaps(0, 0)
