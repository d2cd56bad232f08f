"""Send generated GraphQL documents to the API and print a summary of the responses: `python -m tests.bench.fuzz`.

Runs the complete application on moto in this process. Schemathesis generates documents for every operation, new ones in
each run; they are sent as an admin. The summary counts responses by error code, and AWS calls. The run ends with the
smallest document that causes an unexpected response: a status other than 200, an undocumented error code, or internal
details.

Exit status: 0 no unexpected response, 1 an unexpected response, 2 wrong usage.
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
from lobby.aws.clients import client
from tests.bench.report import Section, section
from tests.functional.admin_api.api_on_moto import HERE, counted, fresh_lobby, ledger_on_moto
from tests.functional.admin_api.fuzzed_lobby import EXPECTED_CODES, known_values
from tests.functional.admin_api.graphql_fuzz import documents, leaks, with_known_values

app = typer.Typer(add_completion=False)


def operation_in(document: str) -> str:
    """Return the first field that a document selects, or `?`."""
    (definition, *_) = parse(document).definitions
    if not isinstance(definition, OperationDefinitionNode):
        return "?"
    field = definition.selection_set.selections[0]
    return field.name.value if isinstance(field, FieldNode) else "?"


@app.command(help=__doc__)
def main(
    examples: Annotated[int, typer.Option(min=1, help="Number of documents to send.")] = 5000,
    number: Annotated[
        int | None, typer.Option("--seed", help="Send the same documents as the run that printed this seed.")
    ] = None,
) -> None:
    number = SystemRandom().randrange(2**32) if number is None else number
    responses: dict[str, Counter[str]] = defaultdict(Counter)
    aws_calls: Counter[str] = Counter()
    logger.setLevel("CRITICAL")
    with pytest.MonkeyPatch.context() as monkeypatch, ledger_on_moto(monkeypatch) as ledger:
        lobby = fresh_lobby(ledger)
        client("sns").create_topic(Name="device-lobby-notices")
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
        def send(document: str, data: st.DataObject) -> None:
            query = with_known_values(document, data, known)
            with counted() as calls:
                answer = lobby.ask(query, groups=("admin", f"target:{HERE}"))
            operation = operation_in(query)
            aws_calls[operation] += len(calls)
            responses[operation][", ".join(sorted(set(answer.codes))) or "done"] += 1
            unexpected = [code for code in answer.codes if not EXPECTED_CODES.fullmatch(code)]
            if answer.status != 200 or unexpected or leaks(json.dumps(answer.body)):
                raise AssertionError(f"got {answer.status} {json.dumps(answer.body)[:2000]} for {query}")

        try:
            send()
        except AssertionError as error:
            print(f"FOUND (seed {number}): {error}")
            raise typer.Exit(1) from None
    print(section(_section(responses, aws_calls, number)))


def _section(responses: dict[str, Counter[str]], aws_calls: Counter[str], number: int) -> Section:
    lines = tuple(
        (operation, str(codes.total()), str(codes["done"]), str(aws_calls[operation]), _most_common(codes))
        for operation, codes in sorted(responses.items())
    )
    total = sum(codes.total() for codes in responses.values())
    return Section(
        f"{total:,} documents, seed {number}: every response has status 200 and documented error codes",
        ("operation", "sent", "done", "AWS calls", "errors"),
        lines,
    )


def _most_common(codes: Counter[str]) -> str:
    errors = [f"{code} {count}" for code, count in codes.most_common() if code != "done" and re.fullmatch(r"\w+", code)]
    return ", ".join(errors[:6])


if __name__ == "__main__":
    app()
