"""Asks the API whatever schemathesis makes up, and prints what became of it: `python -m tests.bench.fuzz`.

The whole application on moto, in this process: an admin's documents of every operation, new ones with each run. Counted
are answers by code, and AWS calls. An answer that is no 200, that has a code which nobody is told of, or a word of the
inside, ends the run with the smallest document that brings it about.

Exit status: 0 nothing was found, 1 something was, 2 wrong use.
"""

import json
import re
from collections import Counter, defaultdict
from random import SystemRandom
from typing import Annotated

import pytest
import typer
from graphql import FieldNode, OperationDefinitionNode, parse
from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis import strategies as st

from admin_api.failures import logger
from tests.bench.report import Section, section
from tests.functional.admin_api.api_on_moto import HERE, counted, fresh_lobby, ledger_on_moto
from tests.functional.admin_api.graphql_fuzz import documents, leaks, with_known_values
from tests.functional.admin_api.test_api_fuzz import EXPECTED_CODES, known_values

app = typer.Typer(add_completion=False)


def operation_in(document: str) -> str:
    """The first field that a document asks for."""
    (definition, *_) = parse(document).definitions
    if not isinstance(definition, OperationDefinitionNode):
        return "?"
    field = definition.selection_set.selections[0]
    return field.name.value if isinstance(field, FieldNode) else "?"


@app.command(help=__doc__)
def main(
    examples: Annotated[int, typer.Option(min=1, help="Documents to ask.")] = 5000,
    number: Annotated[int | None, typer.Option("--seed", help="The same documents as a run that told it.")] = None,
) -> None:
    number = SystemRandom().randrange(2**32) if number is None else number
    told: dict[str, Counter[str]] = defaultdict(Counter)
    made: Counter[str] = Counter()
    logger.setLevel("CRITICAL")
    with pytest.MonkeyPatch.context() as monkeypatch, ledger_on_moto(monkeypatch) as ledger:
        lobby = fresh_lobby(ledger)
        known = known_values(lobby)

        @seed(number)
        @settings(
            max_examples=examples,
            deadline=None,
            database=None,
            phases=[Phase.generate, Phase.shrink],
            suppress_health_check=list(HealthCheck),
        )
        @given(document=documents(), data=st.data())
        def ask(document: str, data: st.DataObject) -> None:
            question = with_known_values(document, data, known)
            with counted() as calls:
                answer = lobby.ask(question, groups=("admin", f"target:{HERE}"))
            operation = operation_in(question)
            made[operation] += len(calls)
            told[operation][", ".join(sorted(set(answer.codes))) or "done"] += 1
            untold = [code for code in answer.codes if not EXPECTED_CODES.fullmatch(code)]
            if answer.status != 200 or untold or leaks(json.dumps(answer.body)):
                raise AssertionError(f"got {answer.status} {json.dumps(answer.body)[:2000]} for {question}")

        try:
            ask()
        except AssertionError as found:
            print(f"FOUND (seed {number}): {found}")
            raise typer.Exit(1) from None
    print(section(_section(told, made, number)))


def _section(told: dict[str, Counter[str]], made: Counter[str], number: int) -> Section:
    lines = tuple(
        (operation, str(codes.total()), str(codes["done"]), str(made[operation]), _commonest(codes))
        for operation, codes in sorted(told.items())
    )
    documents_asked = sum(codes.total() for codes in told.values())
    return Section(
        f"{documents_asked:,} documents, seed {number}: each answer 200, with codes that are told",
        ("operation", "asked", "done", "AWS calls", "refused"),
        lines,
    )


def _commonest(codes: Counter[str]) -> str:
    refused = [
        f"{code} {count}" for code, count in codes.most_common() if code != "done" and re.fullmatch(r"\w+", code)
    ]
    return ", ".join(refused[:6])


if __name__ == "__main__":
    app()
