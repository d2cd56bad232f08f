"""The sources, modules, links, headings and commands that the documents name exist."""

import re
import shlex
import subprocess
from argparse import ArgumentParser, _SubParsersAction
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import pytest
import typer

from admin_api.cli.app import app as lobbyctl
from device.cli import parser as lobby_device
from infra.local.synthesis import ROOT
from pki.cli import app as lobby_pki

DOCUMENTS = sorted(
    ROOT / name
    for name in subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard", "*.md"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    ).stdout.split()
)


class CommandLine:
    """A command line of argparse, with the attributes of one of typer."""

    def __init__(self, parser: ArgumentParser) -> None:
        self.params = [Option(action.option_strings) for action in parser._actions]
        parsers = [action.choices for action in parser._actions if isinstance(action, _SubParsersAction)]
        self.commands = {name: CommandLine(each) for choices in parsers for name, each in choices.items()}


class Option(NamedTuple):
    opts: Sequence[str]
    secondary_opts: Sequence[str] = ()


OURS = ("admin_api", "commissioner", "device", "infra", "lobby", "pki", "tests")
SOURCES = [path for part in OURS for path in (ROOT / part).rglob("*.py") if "node_modules" not in path.parts]
APPS = {
    "lobbyctl": typer.main.get_command(lobbyctl),
    "lobby-device": CommandLine(lobby_device()),
    "lobby-pki": typer.main.get_command(lobby_pki),
    "python -m pki": typer.main.get_command(lobby_pki),
    "python -m device": CommandLine(lobby_device()),
}
each_document = pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: str(path.relative_to(ROOT)))


def named(document: Path, pattern: str) -> set[str]:
    return set(re.findall(pattern, document.read_text()))


def slugs(document: Path) -> set[str]:
    """The anchors of a document's headings."""
    headings = re.findall(r"^#+ (.+)$", document.read_text(), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


def command_lines(document: Path) -> Iterator[str]:
    """Commands in console blocks and in code spans, without the prompt."""
    text = document.read_text().replace("\\\n", " ")
    for line in re.findall(r"^\s*\$ (.+)$", text, re.MULTILINE):
        yield line.split("#")[0].strip()
    yield from re.findall(r"`((?:lobbyctl|lobby-pki|lobby-device|\./deploy\.sh|\./test\.sh)[^`]*)`", text)


def words_of(line: str) -> list[str]:
    """The words of the first command of a line, without settings of the environment and the folder of the program."""
    words = shlex.split(re.split(r"\||&&", line.replace("…", " "))[0])
    while words and "=" in words[0]:
        del words[0]
    if words and not words[0].startswith("./"):
        words[0] = words[0].rsplit("/", 1)[-1]
    return [f"python -m {words[2]}", *words[3:]] if words[:2] == ["python", "-m"] else words


def unknown_part(command: Any, words: list[str]) -> str | None:
    """The first subcommand or option that the command does not have."""
    while getattr(command, "commands", None):
        word = next((word for word in words if not word.startswith("-")), None)
        if word is None or not word.islower():
            break
        if word not in command.commands:
            return word if getattr(command, "resolve_default", None) is None and word.isalpha() else None
        words = words[words.index(word) + 1 :]
        command = command.commands[word]
    known = {option for parameter in command.params for option in (*parameter.opts, *parameter.secondary_opts)}
    known |= {"--help", "-h", "--json", "--lobby", "--url", "--as", "--version", "--install-completion"}
    return next((word for word in words if word.startswith("--") and word.split("=")[0] not in known), None)


@each_document
def test_each_source_that_is_named_exists(document: Path) -> None:
    """Documents name sources by their path or its end."""
    ends = {"/".join(path.parts[-length:]) for path in SOURCES for length in range(1, 6)}
    assert named(document, r"`([\w/]+\.py)`") <= ends


@each_document
def test_each_module_that_is_to_be_run_exists(document: Path) -> None:
    for module in named(document, r"python -m ((?:tests|infra|pki|device|admin_api|lobby|commissioner)(?:\.\w+)*)"):
        path = ROOT / module.replace(".", "/")
        assert path.with_suffix(".py").is_file() or (path / "__main__.py").is_file(), module


@each_document
def test_each_file_and_heading_that_is_linked_exists(document: Path) -> None:
    for target in named(document, r"\]\((?!https?://|mailto:)([^)\s]+)"):
        file, _, heading = target.partition("#")
        linked = document.parent / file if file else document
        assert linked.exists(), target
        assert not heading or linked.suffix != ".md" or heading in slugs(linked), target


@each_document
def test_each_command_that_is_shown_exists(document: Path) -> None:
    if document.name == "CHANGELOG.md":
        return  # it names commands of earlier versions
    for line in command_lines(document):
        words = words_of(line)
        if not words or words[0] not in APPS:
            continue
        assert unknown_part(APPS[words[0]], words[1:]) is None, line


@each_document
def test_each_deployment_command_that_is_shown_exists(document: Path) -> None:
    usage = (ROOT / "deploy.sh").read_text() + (ROOT / "test.sh").read_text()
    for line in command_lines(document):
        words = words_of(line)
        if len(words) > 1 and words[0] in ("./deploy.sh", "./test.sh"):
            for part in words[1].split("|"):
                assert re.search(rf"(?<![\w-]){re.escape(part)}(?![\w-])", usage), line


def test_every_manual_is_in_the_index() -> None:
    index = (ROOT / "docs" / "README.md").read_text()
    manuals = {path.name for path in (ROOT / "docs").glob("*.md")} - {"README.md"}
    assert {name for name in manuals if f"({name})" not in index} == set()


def test_the_readme_is_short() -> None:
    assert len((ROOT / "README.md").read_text().splitlines()) <= 130


@pytest.mark.parametrize("record", sorted((ROOT / "docs" / "decisions").glob("*.md")), ids=lambda path: path.stem)
def test_each_decision_record_has_the_five_parts(record: Path) -> None:
    text = record.read_text()
    assert [
        part for part in ("- Date: ", "- Status: ", "## Context", "## Decision", "## Consequences") if part not in text
    ] == []
