"""The end of a command that failed for an expected reason: the error's code and message, and exit status 1."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager

import typer
from botocore.exceptions import BotoCoreError, ClientError

from infra.errors import InfraError
from lobby.errors import LobbyError


@contextmanager
def reported_errors() -> Iterator[None]:
    """Print an expected error, and exit with status 1."""
    try:
        yield
    except (InfraError, LobbyError) as error:
        print(f"error: {error}", file=sys.stderr)
        raise typer.Exit(1) from None
    except (BotoCoreError, ClientError) as error:
        print(f"error: AWS_REFUSED: {error}", file=sys.stderr)
        raise typer.Exit(1) from None
