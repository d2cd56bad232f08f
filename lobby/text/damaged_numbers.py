"""Finds numbers that a spreadsheet has damaged: it has removed digits, or changed the text of an account number.

Spreadsheets shorten numbers (``1.23457E+11``), round them to 15 digits, group them (``300.000.000.003``), add decimals
and currencies, remove leading zeros, and make dates (``1-2`` becomes ``2-Jan``). They can save an error (``#NAME?``) or
the mark of a narrow column (``####``) instead of the value. The console has the same rules (`damaged_numbers.ts`).
"""

import re
from typing import Final

from lobby.errors import InvalidInput
from lobby.names import shown

ACCOUNT_DIGITS: Final = 12
_MIN_DIGITS: Final = 6
"""The fewest digits of an account number that has lost its leading zeros. A shorter number is another mistake."""
_NAME: Final = re.compile(r"\d+E\d+", re.IGNORECASE)
_MONTH: Final = (
    "(?:jan|ene|janv|feb|fev|févr?|fév|mar|mär|mrz|mrt|mars|apr|avr|avril|abr|may|mai|mei|maj|mag|jun|juin|giu|jul|juil"
    "|lug|aug|août|ago|sept?|set|oct|okt|out|ott|nov|dec|dez|déc|dic)"
)
"""The short names of months in the languages of spreadsheets."""
_DAMAGES: Final = (
    (
        re.compile(r"[+\u2212-]?\d([.,]\d{1,15})? ?(?:E ?[+\u2212-]?|[×x*] ?10\^)\d{1,3}", re.IGNORECASE),
        "a number that a spreadsheet has shortened",
    ),
    (re.compile(r"[1-9]\d{14}0{4,}"), "a number that a spreadsheet has rounded to 15 digits"),
    (
        re.compile(
            r"[(+\u2212-]?[$€£¥]? ?(?:\d{1,3}([.,'’\u00a0\u202f ])\d{3}(\1\d{3})+((?!\1)[.,]\d+)?"
            r"|\d{1,3}([.,'’\u00a0\u202f ])\d{3}(?!\4)[.,]\d+|\d{1,3}(?:,\d{2})+,\d{3}|\d{4,}[.,]0+) ?[$€£¥]?\)?"
        ),
        "a number that a spreadsheet has formatted",
    ),
    (
        re.compile(rf"\d{{1,2}}(?:-|\. ?){_MONTH}\.?(?:[- ]?\d{{2,4}})?|{_MONTH}\.?[- ]\d{{2,4}}", re.IGNORECASE),
        "a date that a spreadsheet has made of it",
    ),
    (re.compile(r"\d{1,2}([./])\d{1,2}\1\d{2,4}"), "a date that a spreadsheet has made of it"),
    (
        re.compile(
            r"=?(?:#{3,}|#N/[A-Z]{1,2}|#NV|#[^\W\da-z_]{2,}[/0-9]*[!?]|#GETTING_DATA)"
            r"|(?:Err|Error|Erreur|Errore|Erro|Fehler|Fout|Fel) ?:5\d\d"
        ),
        "an error of a spreadsheet in place of the value",
    ),
)


def check_number(text: str, column: str) -> None:
    """Raise `InvalidInput` DAMAGED_NUMBER if a spreadsheet has damaged the digits of `text`."""
    for form, damage in _DAMAGES:
        if form.fullmatch(text):
            want = f"the digits: format the column {column} as text before you fill it"
            raise InvalidInput("DAMAGED_NUMBER", f"got {shown(text)}, {damage}, want {want}")


def check_name(text: str, column: str) -> None:
    """Raise `InvalidInput` DAMAGED_NUMBER if a spreadsheet has damaged a thing name or serial number. A name such as
    ``3E10`` is not damaged: a spreadsheet writes the sign of the exponent."""
    if not _NAME.fullmatch(text):
        check_number(text, column)


def check_account(account: str) -> None:
    """Raise `InvalidInput` DAMAGED_NUMBER for an account number that has lost its leading zeros or that is damaged in
    another way."""
    check_number(account, "of the account")
    if account.isdigit() and _MIN_DIGITS <= len(account) < ACCOUNT_DIGITS:
        message = f"got account {shown(account)} with {len(account)} digits, want {ACCOUNT_DIGITS}"
        raise InvalidInput("DAMAGED_NUMBER", f"{message} (a spreadsheet removes leading zeros)")
