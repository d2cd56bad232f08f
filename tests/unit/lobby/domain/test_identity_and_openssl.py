"""`verify` and `openssl verify` agree about generated certificates, except where docs/manufacturer.md says so."""

import shutil
from pathlib import Path

import pytest

import lobby
from tests.x509_comparison import ACCEPTED_HERE, REFUSED_HERE, decision, is_agreement, run

pytestmark = pytest.mark.skipif(shutil.which("openssl") is None, reason="needs the openssl command")
MANUAL = Path(lobby.__file__).parents[1] / "docs" / "manufacturer.md"


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize(
    "count",
    [pytest.param(40, marks=pytest.mark.slow), pytest.param(3000, marks=pytest.mark.full)],
    ids=["a sample", "thousands"],
)
def test_every_disagreement_is_decided(count: int, tmp_path: Path) -> None:
    outcomes, examples = run(count, tmp_path)
    undecided = [pair for pair in outcomes if not is_agreement(*pair) and decision(*pair) is None]
    assert {pair: examples[pair] for pair in undecided} == {}
    assert sum(n for pair, n in outcomes.items() if is_agreement(*pair)) > count / 2


def test_the_manual_lists_every_decision() -> None:
    manual = MANUAL.read_text()
    for code, what in REFUSED_HERE.items():
        assert f"| {what} | accepts | `{code}` |" in manual
    for message, what in ACCEPTED_HERE.items():
        assert f"| {what} | {message} | accepts |" in manual
