"""Checks a lobby's id: `python -m infra.lobby_id ID`. `deploy.sh` calls it for `--lobby-id`. `deploy.sh` then sets
`LOBBY_ID` for its commands, because modules compute the names of tables and queues when they are imported. A command
that was not started by `deploy.sh` is rejected if its option and the variable differ.

Exit status: 0 valid, 2 not valid.
"""

import sys
from typing import Annotated

import typer

from lobby.errors import InvalidInput
from lobby.lobby_names import ENVIRONMENT, parse_lobby_id


def _same(value: str | None) -> str | None:
    """Return the option's value if it matches the variable."""
    from lobby.deployment import NAMES  # noqa: PLC0415  # this module checks the id first

    if value is not None and value != NAMES.id:
        got = f"got {value!r} and {ENVIRONMENT}={NAMES.id or ''}"
        raise typer.BadParameter(f"{got}, want the same: run ./deploy.sh, which sets the variable")
    return value


LobbyIdOption = Annotated[
    str | None,
    typer.Option(
        "--lobby-id",
        help="Distinguishes lobbies that share an account or target accounts: 1 to 12 of a-z 0-9 -. [default: none]",
        callback=_same,
    ),
]


def main(arguments: list[str]) -> int:
    try:
        for text in arguments:
            parse_lobby_id(text)
    except InvalidInput as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
