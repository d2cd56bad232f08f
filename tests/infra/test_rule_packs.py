"""Findings of AWS Solutions (cdk-nag) and of cfn-lint in the templates."""

import json
from collections.abc import Iterator

import pytest
from cfnlint.api import lint  # type: ignore[import-untyped]  # it ships no types

from tests.infra.templates import Stacks


def test_every_cdk_nag_finding_is_suppressed_with_a_reason(stacks: Stacks) -> None:
    report = json.loads((stacks.folder / "validation-report.json").read_text())["pluginReports"]
    assert [each["pluginName"] for each in report] == ["AwsSolutions"]
    assert report[0]["conclusion"] == "success"
    assert report[0]["violations"] == []


def test_every_suppression_is_needed(stacks: Stacks) -> None:
    report = json.loads((stacks.folder / "validation-report.json").read_text())["pluginReports"][0]
    used = {(each["acknowledgedAt"], each["acknowledgedId"]) for each in report["suppressedViolations"]}
    assert set(_acknowledged(stacks)) == used


def _acknowledged(stacks: Stacks) -> Iterator[tuple[str, str]]:
    for path in stacks.folder.glob("*.metadata.json"):
        for construct, entries in json.loads(path.read_text()).items():
            for entry in entries:
                if entry["type"] == "aws:cdk:acknowledged-rules":
                    yield from ((construct.removeprefix("/"), rule) for rule in entry["data"])


@pytest.mark.parametrize("variant", ["stacks", "local_stacks"])
def test_cfn_lint_finds_nothing(variant: str, request: pytest.FixtureRequest) -> None:
    found: Stacks = request.getfixturevalue(variant)
    for stack, region in zip(found.all[:2], ("us-east-1", "eu-west-1"), strict=True):
        assert [str(each) for each in lint(json.dumps(stack.template), regions=[region])] == []
