"""Every command of the runbooks exists with its options. The end-to-end tests carry them out as written."""

import shlex
from importlib.util import find_spec
from itertools import chain

import pytest
import typer
from typer.main import get_command

from admin_api.cli.app import app as lobbyctl
from infra.cloud.__main__ import app as deploy
from pki.cli import app as lobby_pki
from tests.runbooks import (
    ADD_REGION,
    ARCHIVE,
    ARCHIVE_PAGE,
    AUTHORITY,
    DOOR_DOWN,
    HOME_DOWN,
    PHONE,
    REGIONS_PAGE,
    REMOVE_LOBBY,
    REMOVE_REGION,
    aws_call,
    commands_of,
)

OF_ARCHIVE = commands_of(ARCHIVE, ARCHIVE_PAGE)
OF_REGIONS = [
    commands_of(each, REGIONS_PAGE) for each in (HOME_DOWN, DOOR_DOWN, ADD_REGION, REMOVE_REGION, REMOVE_LOBBY)
]
COMMANDS = [*commands_of(PHONE), *commands_of(AUTHORITY), *OF_ARCHIVE, *chain.from_iterable(OF_REGIONS)]
PROGRAMS = {"lobbyctl": lobbyctl, "lobby-pki": lobby_pki, "./deploy.sh": deploy}
SHELL = {"grep", "comm"}


def test_the_runbooks_have_commands() -> None:
    assert (len(commands_of(PHONE)), len(commands_of(AUTHORITY)), len(OF_ARCHIVE)) == (9, 9, 5)
    assert [len(each) for each in OF_REGIONS] == [7, 1, 9, 5, 1]


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_exists_with_its_options(command: str) -> None:
    program, *words = shlex.split(command.split(" > ", maxsplit=1)[0].split(" | ", maxsplit=1)[0])
    if program == "aws":
        assert aws_call(command)[2]
        return
    if program in SHELL:
        return
    while "=" in program:  # a variable of the environment
        program, *words = words
    if program == "python":
        assert words[0] == "-m", command
        assert find_spec(words[1]), command
        return
    current = get_command(PROGRAMS[program])
    context = current.make_context(program, [], resilient_parsing=True)
    while words and (found := current.get_command(context, words[0]) if hasattr(current, "get_command") else None):
        current = found
        words = words[1:]
    options = {name for parameter in current.params for name in (*parameter.opts, *parameter.secondary_opts)}
    assert isinstance(current, typer.core.TyperCommand), f"{command} names no command"
    assert {word for word in words if word.startswith("-")} <= options


@pytest.mark.parametrize(
    "command",
    ["aws cognito-idp admin-delete-everything --username x", "aws cognito-idp admin-disable-user --name x"],
)
def test_a_command_of_aws_that_does_not_exist_is_found(command: str) -> None:
    with pytest.raises(ValueError, match="want"):
        aws_call(command)
