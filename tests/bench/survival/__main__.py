"""Kills the local service while devices are onboarded: `python -m tests.bench.survival`.

A hundred devices, each the reference client over real TLS, are powered and claimed; the service (the emulator, its
Lambdas and who started them) is killed by SIGKILL as a quarter of them, and then a half, has arrived, and started again
on the same state. All must arrive, with whole histories, and no row that was ever seen may be gone.

Exit status: 0 all arrived and nothing was lost, 1 otherwise or the deployment failed.
"""

import sys
import tempfile
import time
from contextlib import ExitStack
from pathlib import Path
from typing import Annotated

import typer

from infra.local.manufacturer import Manufacturer
from lobby.domain.identity import fingerprint, load_certificate
from tests.bench.survival.household import household
from tests.bench.survival.ordeal import Ordeal
from tests.bench.survival.service import NotUp, Service

app = typer.Typer(add_completion=False)
_PER_PROCESS = 25


@app.command(help=__doc__)
def main(
    devices: Annotated[int, typer.Option(min=4, help="How many.")] = 100,
    kills: Annotated[int, typer.Option(min=0, max=3, help="At a quarter, a half, three quarters.")] = 2,
    gateway_port: Annotated[int, typer.Option(help="Port of the AWS API.")] = 25_200,
    mqtt_port: Annotated[int, typer.Option(help="Port of the MQTT endpoints.")] = 25_201,
    console_port: Annotated[int, typer.Option(help="Port of the console.")] = 25_202,
    keep: Annotated[Path | None, typer.Option(help="Keep the state and all logs in this new folder.")] = None,
) -> None:
    with ExitStack() as held:
        folder = keep or Path(held.enter_context(tempfile.TemporaryDirectory(prefix="device-lobby-survival-")))
        folder.mkdir(exist_ok=True)
        service = Service(folder / "state", gateway_port, mqtt_port, console_port)
        try:
            lost = _survive(service, folder, devices, kills)
        except (NotUp, TimeoutError) as failed:
            print(f"FAILED: {failed}", file=sys.stderr)
            raise typer.Exit(1) from None
        finally:
            service.stop()
    for line in lost:
        print(f"LOST: {line}")
    if lost:
        raise typer.Exit(1)


def _survive(service: Service, folder: Path, many: int, kills: int) -> list[str]:
    file = service.start()
    factory = Manufacturer(service.state / "factory")
    made = [factory.make_device(f"survivor-{number:03}") for number in range(many)]
    certids = [fingerprint(load_certificate(paths.certificate.read_text())) for paths in made]
    ordeal = Ordeal(certids, service.target, service.ask, service.session(service.lobby))
    ordeal.claim_boxed()
    began = time.monotonic()
    with ExitStack() as powered:
        for number in range(0, many, _PER_PROCESS):
            some = made[number : number + _PER_PROCESS]
            powered.enter_context(household(file, some, folder / "devices" / str(number)))
        for number in range(1, kills + 1):
            ordeal.until(many * number // 4)
            print(f"{time.monotonic() - began:6.1f} s  killed: {dict(ordeal.count())}", flush=True)
            service.kill()
            service.start()
            print(f"{time.monotonic() - began:6.1f} s  up again", flush=True)
        ordeal.until(many)
    lost = [*ordeal.lost, *ordeal.broken()]
    lost += ordeal.not_active(lambda where: service.session(where).client("iot"), service.lobby)
    print(
        f"{time.monotonic() - began:6.1f} s  {ordeal.count()['arrived']} of {many} arrived, {kills} kills, "
        f"{len(lost)} lost; an operator retried {dict(ordeal.retried) or 'none'}"
    )
    return lost


if __name__ == "__main__":
    app()
