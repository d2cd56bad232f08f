"""Output: results to stdout, everything else to stderr; tables for users, or one JSON object per line with --json.

Colours, progress bars and live tables are used in terminals only; rich disables colours if NO_COLOR is set.
"""

import json
import os
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import Any, Final

from rich.console import Console, ConsoleOptions, RenderableType
from rich.live import Live
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from rich.segment import Segment
from rich.text import Text

from admin_api.cli.exits import Status
from admin_api.cli.render.cells import clean
from lobby.errors import LobbyError

_DEFAULT_WIDTH: Final = 240
"""The width in columns if the output is not a terminal and COLUMNS is not set."""


class Screen:
    """The output of one command. `as_json` selects JSON records."""

    def __init__(self, as_json: bool) -> None:
        self.as_json = as_json
        self.out, self.err = _console(stderr=False), _console(stderr=True)
        self._notes = self.err

    @property
    def width(self) -> int:
        return self.out.width

    def record(self, body: object) -> None:
        """Print a result as JSON, in ASCII so that every terminal and encoding accepts it."""
        self.out.print(json.dumps(body), soft_wrap=True)

    def result(
        self,
        body: object,
        shown: RenderableType | None = None,
        *,
        line: str | None = None,
        note: str | None = None,
    ) -> None:
        """Print a result: with --json the record `body`, otherwise those of table, line and note that are given."""
        if self.as_json:
            self.record(body)
            return
        if shown is not None:
            self.show(shown)
        if line is not None:
            self.line(line)
        if note is not None:
            self.note(note)

    def listing(
        self,
        found: list[dict[str, Any]],
        table: Callable[[list[dict[str, Any]]], RenderableType],
        empty: str | None = None,
    ) -> None:
        """Print entries as JSON records, or as the table that `table` creates from them. If there are no entries, print
        the note `empty` if it is given."""
        if self.as_json:
            for each in found:
                self.record(each)
        elif found or empty is None:
            self.show(table(found))
        else:
            self.note(empty)

    def show(self, result: RenderableType) -> None:
        """Print a result, such as a table."""
        if self.out.is_terminal:
            self.out.print(result)
            return
        with self.out.capture() as captured:
            self.out.print(result)
        for line in captured.get().splitlines():
            self.line(line.rstrip())

    def line(self, text: str) -> None:
        """Print a result as one line without wrapping."""
        self.out.print(Text(text), soft_wrap=True)

    def note(self, text: str) -> None:
        """Print a message that is not a result; with --json as `{"note": …}`."""
        self.note_record({"note": text}, text)

    def note_record(self, body: dict[str, Any], text: str) -> None:
        """Print a message that is not a result; with --json `body`."""
        self._notes.print(Text(json.dumps(body) if self.as_json else text), soft_wrap=True)

    def note_table(self, table: RenderableType) -> None:
        """Print a table that is not a result, unless the output is JSON."""
        if not self.as_json:
            self._notes.print(table)

    def fail(self, error: LobbyError, status: Status) -> None:
        """Print an error, with --json with its exit status."""
        message = clean(" ".join(error.message.splitlines()))
        if self.as_json:
            body = {"error": {"code": error.code, "message": message, "exit": status.value}}
            self.err.print(json.dumps(body), soft_wrap=True)
        else:
            self.err.print(Text.assemble(("error: ", "bold red"), f"{error.code}: {message}"), soft_wrap=True)

    @contextmanager
    def progress_bar(self, label: str, total: int) -> Iterator["ProgressBar"]:
        """Show a progress bar for two or more items, but not together with JSON. It disappears at the end."""
        visible = total > 1 and self.err.is_terminal and not (self.as_json and self.out.is_terminal)
        columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
        with self._drawing() as console:
            progress = Progress(
                *columns,
                console=console,
                transient=True,
                disable=not visible,
                redirect_stdout=False,
                redirect_stderr=False,
            )
            with progress:
                yield ProgressBar(progress, progress.add_task(label, total=total))

    @contextmanager
    def live(self, content: RenderableType, *, transient: bool = False) -> Iterator[Live | None]:
        """Show content that is redrawn while the context is open. Yield None without a terminal or with --json."""
        with self._drawing() as console:
            if self.as_json or not console.is_terminal:
                yield None
                return
            with Live(
                content, console=console, redirect_stdout=False, redirect_stderr=False, transient=transient
            ) as live:
                yield live

    @contextmanager
    def _drawing(self) -> Iterator[Console]:
        """Yield the console for live content. Notes go to the same console; otherwise the live content would overwrite
        them."""
        self._notes = self.out if self.out.is_terminal and self.err.is_terminal else self.err
        try:
            yield self.out if self.out.is_terminal else self.err
        finally:
            self._notes = self.err


class ProgressBar:
    """A visible or disabled progress bar."""

    def __init__(self, progress: Progress, task: Any) -> None:
        self._progress, self._task = progress, task

    def advance(self, count: int) -> None:
        self._progress.advance(self._task, count)


class _SafeConsole(Console):
    """A console on which text cannot control the terminal. It replaces everything that is not printable, such as escape
    sequences (C0 and C1) and characters that change the direction of text. It keeps rich's own control codes."""

    def render(self, renderable: RenderableType, options: ConsoleOptions | None = None) -> Iterable[Segment]:
        for segment in super().render(renderable, options):
            yield segment if segment.control or _is_safe(segment.text) else segment._replace(text=_safe(segment.text))


def _is_safe(text: str) -> bool:
    return text.isprintable() or all(char == "\n" or char.isprintable() for char in text)


def _safe(text: str) -> str:
    return "".join(char if char == "\n" or char.isprintable() else "\N{REPLACEMENT CHARACTER}" for char in text)


def _console(*, stderr: bool) -> Console:
    """Return a console that prints text as it is. Rich evaluates NO_COLOR and TERM."""
    console = _SafeConsole(stderr=stderr, markup=False, highlight=False, emoji=False)
    if console.is_terminal or os.environ.get("COLUMNS", "").isdigit():
        return console
    return _SafeConsole(stderr=stderr, markup=False, highlight=False, emoji=False, width=_DEFAULT_WIDTH)
