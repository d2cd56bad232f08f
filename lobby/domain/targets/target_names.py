"""Rules for the names of targets: a person must be able to distinguish two targets on any screen.

A name is printable, in one script, without characters that are invisible or that change the direction of text, and it
looks like no other target's name and like no `account/Region`. Two names look alike if their *skeletons* are equal:
case, width and look-alike letters are folded (after Unicode Technical Standard 39, section 4, "skeleton"). Because a
name has only one script, only whole words can look alike, such as Cyrillic "СОСО" and Latin "COCO". A small table is
enough for these.
"""

import re
import unicodedata
from collections.abc import Mapping
from typing import Final

from lobby.errors import InvalidInput
from lobby.names import Target, shown

MAX_NAME: Final = 64
_MAX_MARKS: Final = 2
"""Combining marks on one character: enough for every living language, but too few to cover the line above."""
_KEY: Final = re.compile(r"[0-9olO]{12}\s*[/⁄∕]", re.ASCII)
_INVISIBLE: Final = frozenset("\u034f\u115f\u1160\u17b4\u17b5\u2800\u3164\uffa0") | frozenset(
    map(chr, (*range(0x180B, 0x1810), *range(0xFE00, 0xFE10), *range(0xE0100, 0xE01F0)))
)
"""Letters, marks and symbols without a visible form (Unicode, Default_Ignorable_Code_Point; the blank of Braille)."""
_JOINED: Final = frozenset({"CJK", "HIRAGANA", "KATAKANA", "KATAKANA-HIRAGANA", "HANGUL", "BOPOMOFO", "LATIN"})
"""Scripts that are written together in one language (UTS 39, section 5.2, "Highly Restrictive")."""
_LOOK_ALIKES: Final[Mapping[str, str]] = {
    **dict(zip("абсԁеѕіјһӏкмноөрԛгтуүԝхэ", "abcdesljhlkmhoopqrtyywxe", strict=True)),
    **dict(zip("αβϲδεγικλνορτυχωϳ", "abcdeylklvoptuxwj", strict=True)),
    **dict(zip("օսոհցզгյ", "ounhgqrj", strict=True)),
    **dict(zip("01", "ol", strict=True)),
    **dict.fromkeys("|ı", "l"),
    "i": "l",
    **dict.fromkeys("‐‑‒–—−﹣ー_", "-"),
    **dict.fromkeys("‘’ʼʹ`´′", "'"),
    **dict.fromkeys("“”″", '"'),
    **dict.fromkeys("․‧·•", "."),
    **dict.fromkeys("⁄∕", "/"),
}
"""Small letters, digits and signs, each with a character that looks like it."""
_PAIRS: Final = (("rn", "m"), ("vv", "w"), ("cl", "d"))


def parse_target_name(text: object) -> str:
    """Return a target's name. Raise `InvalidInput` INVALID_NAME, which names the rule."""
    if not isinstance(text, str) or not 0 < len(text) <= MAX_NAME:
        raise _invalid(text, f"1 to {MAX_NAME} characters")
    name = unicodedata.normalize("NFC", text)
    rule = _broken_rule(name)
    if rule:
        raise _invalid(text, rule)
    return name


def require_distinct(name: str, target: Target, others: Mapping[Target, str]) -> None:
    """Raise `InvalidInput` NAME_IMITATES if `name` looks like that of another target. `others` may contain `target`."""
    form = skeleton(name)
    for other, known in others.items():
        if other != target and skeleton(known) == form:
            same = "the same name as" if known == name else f"a name that looks like {shown(known)}, the name of"
            raise InvalidInput(
                "NAME_IMITATES", f"got {shown(name)}, {same} target {other}; want one that looks different"
            )


def skeleton(name: str) -> str:
    """Return a text that is equal for names that look alike."""
    folded = unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", name).casefold())
    form = "".join(_LOOK_ALIKES.get(character, character) for character in folded)
    for pair, single in _PAIRS:
        form = form.replace(pair, single)
    return " ".join(form.split())


def _broken_rule(name: str) -> str | None:
    checks = (
        (
            name != " ".join(name.split(" ")) or name != name.strip() or "  " in name,
            "no space at its ends and no double space",
        ),
        (any(_is_unprintable(each) for each in name), "no control, invisible or direction-changing character"),
        (_excess_marks(name), f"at most {_MAX_MARKS} accents on a letter"),
        (unicodedata.normalize("NFKC", name) != name, "plain letters and digits, no wide, circled or styled ones"),
        (not _is_one_script(name), "letters of one script"),
        (not any(each.isalnum() for each in name), "at least one letter or digit"),
        (_KEY.match(skeleton(name)) is not None, "a name that does not look like an account and Region"),
    )
    return next((rule for broken, rule in checks if broken), None)


def _is_unprintable(character: str) -> bool:
    category = unicodedata.category(character)
    return character in _INVISIBLE or category[0] == "C" or (category[0] == "Z" and character != " ")


def _excess_marks(name: str) -> bool:
    return re.search(f"m{{{_MAX_MARKS + 1}}}|^m", "".join("m" if _is_mark(each) else "." for each in name)) is not None


def _is_mark(character: str) -> bool:
    return unicodedata.category(character)[0] == "M"


def _is_one_script(name: str) -> bool:
    scripts = {unicodedata.name(each, "UNKNOWN").split(" ")[0] for each in name if unicodedata.category(each)[0] == "L"}
    return len(scripts) <= 1 or scripts <= _JOINED


def _invalid(text: object, rule: str) -> InvalidInput:
    return InvalidInput("INVALID_NAME", f"got {shown(text)}, want {rule}")
