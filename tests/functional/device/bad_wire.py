"""A wire to a broker that goes bad: mute, cut, frozen, full of noise, or so slow that a byte takes for ever.

It stands between the device and a good broker and carries TCP as it is. The first connections go as `Fault`s say, one
each; later ones are carried well.
"""

import asyncio
import random
import socket
import struct
import threading
from collections.abc import Awaitable, Callable
from concurrent.futures import Future

_CHUNK = 4096


class Carried:
    """One connection: `device` and `broker` are its two ends."""

    def __init__(self, device: "End", broker_port: int, frozen: asyncio.Event) -> None:
        self.device, self._port, self.frozen = device, broker_port, frozen

    async def broker(self) -> "End":
        return End(*await asyncio.open_connection("127.0.0.1", self._port))

    async def carry(self, *, slowly: float = 0.0, from_broker: float = float("inf")) -> None:
        """Both ways, until either end is gone or the wire is frozen: `slowly` is seconds for each byte from the
        broker, and after `from_broker` bytes of it nothing moves any more, either way."""
        broker = await self.broker()
        left = [from_broker]
        ways = [_copy(self.device, broker, self, left), _copy(broker, self.device, self, left, slowly, counts=True)]
        tasks = [asyncio.create_task(way) for way in ways]
        try:
            await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
            broker.writer.close()


class End:
    """A TCP connection's two halves."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader, self.writer = reader, writer


Fault = Callable[[Carried], Awaitable[None]]


async def _copy(
    source: End, sink: End, carried: Carried, left: list[float], slowly: float = 0.0, *, counts: bool = False
) -> None:
    while content := await source.reader.read(1 if slowly else _CHUNK):
        if counts:
            left[0] -= len(content)
        while carried.frozen.is_set() or left[0] <= 0:
            await asyncio.sleep(3600)  # held, until the wire is taken down
        await asyncio.sleep(slowly)
        sink.writer.write(content)
        await sink.writer.drain()


async def well(carried: Carried) -> None:
    await carried.carry()


async def mute(carried: Carried) -> None:
    """Accepts, hears, says nothing."""
    while await carried.device.reader.read(_CHUNK):
        pass


async def deaf(_: Carried) -> None:
    """Accepts, and does not even read."""
    await asyncio.sleep(3600)


async def noise(carried: Carried) -> None:
    """Answers TLS with bytes that are none."""
    await carried.device.reader.read(_CHUNK)
    carried.device.writer.write(random.Random(7).randbytes(2000))  # noqa: S311 - the same in each run
    await mute(carried)


async def plain(carried: Carried) -> None:
    """Answers TLS with MQTT: a CONNACK in the clear."""
    await carried.device.reader.read(_CHUNK)
    carried.device.writer.write(b"\x20\x02\x00\x00")
    await mute(carried)


async def hung_up(_: Carried) -> None:
    """Accepts and closes."""


async def thrown_off(carried: Carried) -> None:
    """Accepts and resets."""
    linger = struct.pack("ii", 1, 0)
    carried.device.writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
    carried.device.writer.transport.abort()


async def a_byte_at_a_time(carried: Carried) -> None:
    """A TLS handshake of some 2,000 bytes takes minutes."""
    await carried.carry(slowly=0.1)


async def half_a_handshake(carried: Carried) -> None:
    await carried.carry(from_broker=500)


class Wire:
    """Runs in a thread of its own, in front of `broker_port`."""

    def __init__(self, broker_port: int, *faults: Fault, port: int = 0) -> None:
        self._broker_port, self._wanted_port = broker_port, port
        self._faults = list(faults)
        self._ready: Future[int] = Future()
        self._thread = threading.Thread(target=lambda: asyncio.run(self._main()))
        self._frozen = asyncio.Event()
        self._tasks: set[asyncio.Task[None]] = set()

    def __enter__(self) -> "Wire":
        self._thread.start()
        self.port = self._ready.result(10)
        return self

    def __exit__(self, *_: object) -> None:
        self._loop.call_soon_threadsafe(self._over.set)
        self._thread.join(10)

    def freeze(self) -> None:
        """What is connected now hears nothing any more, and does not get through; nobody is told. New connections
        are carried."""
        self._loop.call_soon_threadsafe(self._freeze)

    def _freeze(self) -> None:
        self._frozen.set()
        self._frozen = asyncio.Event()

    async def _main(self) -> None:
        self._loop, self._over = asyncio.get_running_loop(), asyncio.Event()
        server = await asyncio.start_server(self._serve, "127.0.0.1", self._wanted_port)
        self._ready.set_result(server.sockets[0].getsockname()[1])
        await self._over.wait()
        server.close()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._tasks.add(task)
        fault = self._faults.pop(0) if self._faults else well
        try:
            await fault(Carried(End(reader, writer), self._broker_port, self._frozen))
        except (OSError, asyncio.IncompleteReadError, asyncio.CancelledError):
            pass  # an end is gone, or the wire is taken down
        finally:
            writer.close()
