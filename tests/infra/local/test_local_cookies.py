"""Cookies of a request, however oddly they are written."""

import pytest

from infra.local.ministack.cookies import values_of, without


@pytest.mark.parametrize(
    ("header", "values", "rest"),
    [
        ("", [], ""),
        ("cognito=a", ["a"], ""),
        ("x=1; cognito=a; y=2", ["a"], "x=1; y=2"),
        ("cognito=a;cognito=b", ["a", "b"], ""),
        ("cognito=a=b==", ["a=b=="], ""),
        ("xcognito=1; Cognito=2", [], "xcognito=1; Cognito=2"),
        (' ;; odd{}"=1;cognito=a', ["a"], 'odd{}"=1'),
        ("cognito", [""], ""),
    ],
)
def test_cookies_are_found_and_left_out_by_name(header: str, values: list[str], rest: str) -> None:
    assert values_of("cognito", header) == values
    assert without("cognito", header) == rest
