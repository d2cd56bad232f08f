"""Browsers other than Chromium, controlled through their standard protocols, because Playwright needs its own builds.

Firefox ESR: WebDriver BiDi (W3C) on the WebSocket of `--remote-debugging-port`. WebKit: Debian's WebKitWebDriver (W3C
WebDriver) with MiniBrowser, on a virtual screen (Xvfb) if there is none. Both can open an address, evaluate JavaScript,
and wait for a condition. Tests operate pages through the DOM.
"""

import itertools
import json
import os
import shutil
import socket
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any, Final, Protocol

import httpx
from wsproto import ConnectionType, WSConnection
from wsproto.events import AcceptConnection, Event, Ping, Request, TextMessage

START_SECONDS: Final = 60.0
WAIT_SECONDS: Final = 60.0
_STEP: Final = 0.2


class Browser(Protocol):
    """A browser with one tab."""

    def open(self, address: str) -> None:
        """Open `address` and return when its document is loaded."""

    def evaluate(self, expression: str) -> Any:
        """Return the JSON value of a JavaScript expression; a promise is awaited."""


def wait_for(browser: Browser, condition: str, seconds: float = WAIT_SECONDS) -> Any:
    """Return the value of `condition` when it is truthy. Raise `AssertionError` with the page's text otherwise."""
    deadline = time.monotonic() + seconds
    while True:
        value = browser.evaluate(condition)
        if value:
            return value
        if time.monotonic() > deadline:
            text = browser.evaluate("location.href + ': ' + document.body.innerText.slice(0, 2000)")
            raise AssertionError(f"got no {condition} within {seconds:.0f} s, page: {text}")
        time.sleep(_STEP)


class Firefox:
    """A BiDi session. Commands are answered in order; events are not subscribed to."""

    def __init__(self, port: int) -> None:
        self._socket = _when_listening(port)
        self._socket.settimeout(WAIT_SECONDS)
        self._connection = WSConnection(ConnectionType.CLIENT)
        self._events: list[Event] = []
        self._ids = itertools.count(1)
        self._text = ""
        self._socket.sendall(self._connection.send(Request(host=f"127.0.0.1:{port}", target="/session")))
        assert isinstance(self._next(), AcceptConnection)
        self._command("session.new", capabilities={})
        self._tab = self._command("browsingContext.getTree")["contexts"][0]["context"]

    def open(self, address: str) -> None:
        self._command("browsingContext.navigate", context=self._tab, url=address, wait="complete")

    def evaluate(self, expression: str) -> Any:
        result = self._command(
            "script.evaluate",
            expression=f"(async () => JSON.stringify(await ({expression})) ?? null)()",
            target={"context": self._tab},
            awaitPromise=True,
            userActivation=True,
        )
        assert result["type"] == "success", result["exceptionDetails"]["text"]
        value = result["result"].get("value")
        return None if value is None else json.loads(value)

    def close(self) -> None:
        self._socket.close()

    def _command(self, method: str, **parameters: Any) -> dict[str, Any]:
        number = next(self._ids)
        message = json.dumps({"id": number, "method": method, "params": parameters})
        self._socket.sendall(self._connection.send(TextMessage(message)))
        while True:
            answer = json.loads(self._message())
            if answer.get("id") == number:
                assert answer["type"] == "success", f"{method}: {answer.get('message')}"
                result: dict[str, Any] = answer["result"]
                return result

    def _message(self) -> str:
        while True:
            event = self._next()
            if isinstance(event, Ping):
                self._socket.sendall(self._connection.send(event.response()))
            if isinstance(event, TextMessage):
                self._text += event.data
                if event.message_finished:
                    text, self._text = self._text, ""
                    return text

    def _next(self) -> Event:
        while not self._events:
            received = self._socket.recv(65536)
            assert received, "Firefox has closed the connection"
            self._connection.receive_data(received)
            self._events = list(self._connection.events())
        return self._events.pop(0)


class WebKit:
    """A WebDriver session of MiniBrowser."""

    def __init__(self, port: int, capabilities: dict[str, Any]) -> None:
        self._http = httpx.Client(base_url=f"http://127.0.0.1:{port}", timeout=WAIT_SECONDS, trust_env=False)
        _when_listening(port).close()
        wanted = {"capabilities": {"alwaysMatch": capabilities}}
        self._session = f"/session/{self._post('/session', wanted)['sessionId']}"
        self._post(f"{self._session}/timeouts", {"script": int(WAIT_SECONDS * 1000)})

    def open(self, address: str) -> None:
        self._post(f"{self._session}/url", {"url": address})

    def evaluate(self, expression: str) -> Any:
        script = f"const done = arguments[0]; (async () => ({expression}))().then(done, (e) => done('failed: ' + e));"
        value = self._post(f"{self._session}/execute/async", {"script": script, "args": []})
        assert not (isinstance(value, str) and value.startswith("failed: ")), value
        return value

    def close(self) -> None:
        self._http.delete(self._session)
        self._http.close()

    def _post(self, path: str, body: dict[str, Any]) -> Any:
        answer = self._http.post(path, json=body).json()["value"]
        assert not (isinstance(answer, dict) and "error" in answer), answer
        return answer


@contextmanager
def firefox(profile: Path, proxy: str) -> Iterator[Browser]:
    """Start Firefox ESR with an empty profile. `proxy`: `host:port`, for loopback addresses, too."""
    port = _free_port()
    profile.mkdir(parents=True)
    host, _, proxy_port = proxy.partition(":")
    preferences = {
        "network.proxy.type": 1,
        "network.proxy.http": host,
        "network.proxy.http_port": int(proxy_port),
        "network.proxy.allow_hijacking_localhost": True,
    }
    lines = (f"user_pref({json.dumps(name)}, {json.dumps(value)});" for name, value in preferences.items())
    (profile / "user.js").write_text("\n".join(lines))
    command = [
        *("firefox-esr", "--headless", "--no-remote", "--profile", str(profile)),
        *("--remote-debugging-port", str(port), "about:blank"),
    ]
    with _running(command, os.environ | {"HOME": str(profile), "MOZ_DISABLE_CONTENT_SANDBOX": "1"}):
        browser = Firefox(port)
        try:
            yield browser
        finally:
            browser.close()


@contextmanager
def webkit(home: Path, proxy: str) -> Iterator[Browser]:
    """Start MiniBrowser with an empty home directory, on a virtual screen if there is none. `proxy`: `host:port`."""
    home.mkdir(parents=True)
    with ExitStack() as stack:
        environment = os.environ | {
            "HOME": str(home),
            "XDG_RUNTIME_DIR": str(home),
            "WEBKIT_DISABLE_SANDBOX_THIS_IS_DANGEROUS": "1",
            "LIBGL_ALWAYS_SOFTWARE": "1",
        }
        if "DISPLAY" not in environment and "WAYLAND_DISPLAY" not in environment:
            environment["DISPLAY"] = stack.enter_context(_screen())
        port = _free_port()
        stack.enter_context(_running(["WebKitWebDriver", f"--port={port}"], environment))
        browser = WebKit(port, {"proxy": {"proxyType": "manual", "httpProxy": proxy}})
        stack.callback(browser.close)
        yield browser


STARTS: Final[dict[str, tuple[tuple[str, ...], Callable[[Path, str], Any]]]] = {
    "firefox": (("firefox-esr",), firefox),
    "webkit": (("WebKitWebDriver", "Xvfb"), webkit),
}
"""The programs that each browser needs, and how it starts."""


def missing(name: str) -> list[str]:
    """Return the programs of the browser that are not installed."""
    return [program for program in STARTS[name][0] if shutil.which(program) is None]


@contextmanager
def _screen() -> Iterator[str]:
    """Start a virtual screen, which chooses a free display number itself."""
    read, write = os.pipe()
    command = ["Xvfb", "-displayfd", str(write), "-screen", "0", "1280x1024x24", "-nolisten", "tcp"]
    process = subprocess.Popen(command, pass_fds=[write], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    os.close(write)
    try:
        with os.fdopen(read) as number:
            yield f":{number.readline().strip()}"
    finally:
        _stop(process)


@contextmanager
def _running(command: list[str], environment: dict[str, str]) -> Iterator[None]:
    process = subprocess.Popen(command, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        yield
    finally:
        _stop(process)


def _stop(process: subprocess.Popen[bytes]) -> None:
    process.terminate()
    try:
        process.wait(10)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _when_listening(port: int) -> socket.socket:
    """Return a connection to the port of a program that starts."""
    deadline = time.monotonic() + START_SECONDS
    while True:
        try:
            return socket.create_connection(("127.0.0.1", port), timeout=WAIT_SECONDS)
        except OSError:
            if time.monotonic() > deadline:
                raise
            time.sleep(_STEP)
