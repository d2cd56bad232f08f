"""A TCP proxy with faults: silent, closed, frozen, sending noise, or very slow.

It runs between the device and a working broker. The first connections get one `Fault` each; later connections are
forwarded unchanged.
"""

import asyncio
import random
import socket
import struct
import threading
from collections.abc import Awaitable, Callable
from concurrent.futures import Future

_CHUNK = 4096


class Forwarding:
    """One connection between `device` and `broker`."""

    def __init__(self, device: "End", broker_port: int, frozen: asyncio.Event) -> None:
        self.device, self._port, self.frozen = device, broker_port, frozen

    async def broker(self) -> "End":
        return End(*await asyncio.open_connection("127.0.0.1", self._port))

    async def forward(self, *, seconds_per_byte: float = 0.0, broker_bytes: float = float("inf")) -> None:
        """Forward in both directions until one end is closed or the proxy is frozen. `seconds_per_byte` delays each
        byte from the broker. After `broker_bytes` bytes from the broker nothing is forwarded, in either direction."""
        broker = await self.broker()
        left = [broker_bytes]
        directions = [
            _copy(self.device, broker, self, left),
            _copy(broker, self.device, self, left, seconds_per_byte, counts=True),
        ]
        tasks = [asyncio.create_task(direction) for direction in directions]
        try:
            await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
            broker.writer.close()


class End:
    """Reader and writer of one TCP connection."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader, self.writer = reader, writer


Fault = Callable[[Forwarding], Awaitable[None]]


async def _copy(
    source: End,
    sink: End,
    forwarding: Forwarding,
    left: list[float],
    seconds_per_byte: float = 0.0,
    *,
    counts: bool = False,
) -> None:
    while content := await source.reader.read(1 if seconds_per_byte else _CHUNK):
        if counts:
            left[0] -= len(content)
        while forwarding.frozen.is_set() or left[0] <= 0:
            await asyncio.sleep(3600)  # held until the proxy stops
        await asyncio.sleep(seconds_per_byte)
        sink.writer.write(content)
        await sink.writer.drain()


async def unchanged(forwarding: Forwarding) -> None:
    await forwarding.forward()


async def silent(forwarding: Forwarding) -> None:
    """Accept and read, and send nothing."""
    while await forwarding.device.reader.read(_CHUNK):
        pass


async def unread(_: Forwarding) -> None:
    """Accept, and do not read."""
    await asyncio.sleep(3600)


async def noise(forwarding: Forwarding) -> None:
    """Answer the TLS handshake with random bytes."""
    await forwarding.device.reader.read(_CHUNK)
    forwarding.device.writer.write(random.Random(7).randbytes(2000))  # noqa: S311 - the same in each run
    await silent(forwarding)


async def plain_mqtt(forwarding: Forwarding) -> None:
    """Answer the TLS handshake with an MQTT CONNACK without TLS."""
    await forwarding.device.reader.read(_CHUNK)
    forwarding.device.writer.write(b"\x20\x02\x00\x00")
    await silent(forwarding)


async def closed(_: Forwarding) -> None:
    """Accept and close."""


async def reset(forwarding: Forwarding) -> None:
    """Accept and send a TCP reset."""
    linger = struct.pack("ii", 1, 0)
    forwarding.device.writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
    forwarding.device.writer.transport.abort()


async def slow_handshake(forwarding: Forwarding) -> None:
    """A TLS handshake of about 2,000 bytes takes minutes."""
    await forwarding.forward(seconds_per_byte=0.1)


async def half_handshake(forwarding: Forwarding) -> None:
    await forwarding.forward(broker_bytes=500)


class FaultyTcpProxy:
    """Runs in its own thread, in front of `broker_port`."""

    def __init__(self, broker_port: int, *faults: Fault, port: int = 0) -> None:
        self._broker_port, self._requested_port = broker_port, port
        self._faults = list(faults)
        self._ready: Future[int] = Future()
        self._thread = threading.Thread(target=lambda: asyncio.run(self._main()))
        self._frozen = asyncio.Event()
        self._tasks: set[asyncio.Task[None]] = set()

    def __enter__(self) -> "FaultyTcpProxy":
        self._thread.start()
        self.port = self._ready.result(10)
        return self

    def __exit__(self, *_: object) -> None:
        self._loop.call_soon_threadsafe(self._stop.set)
        self._thread.join(10)

    def freeze(self) -> None:
        """Stop forwarding on the current connections without closing them. New connections are forwarded."""
        self._loop.call_soon_threadsafe(self._freeze)

    def _freeze(self) -> None:
        self._frozen.set()
        self._frozen = asyncio.Event()

    async def _main(self) -> None:
        self._loop, self._stop = asyncio.get_running_loop(), asyncio.Event()
        server = await asyncio.start_server(self._serve, "127.0.0.1", self._requested_port)
        self._ready.set_result(server.sockets[0].getsockname()[1])
        await self._stop.wait()
        server.close()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._tasks.add(task)
        fault = self._faults.pop(0) if self._faults else unchanged
        try:
            await fault(Forwarding(End(reader, writer), self._broker_port, self._frozen))
        except (OSError, asyncio.IncompleteReadError, asyncio.CancelledError):
            pass  # one end is closed, or the proxy stops
        finally:
            writer.close()
