"""Kill the local service while devices are onboarded: `python -m tests.bench.survival`.

A hundred devices, each the reference client over real TLS, are started and claimed. The service (the emulator, its
Lambdas and their parent) is killed by SIGKILL when a quarter and again when half of them have arrived, and is started
again with the same state. All must arrive, with valid histories, and no row that was read may be missing later.

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
from tests.bench.survival.device_processes import device_process
from tests.bench.survival.kill_run import KillRun
from tests.bench.survival.service import Service, StartFailed

app = typer.Typer(add_completion=False)
_PER_PROCESS = 25


@app.command(help=__doc__)
def main(
    devices: Annotated[int, typer.Option(min=4, help="Number of devices.")] = 100,
    kills: Annotated[int, typer.Option(min=0, max=3, help="Kills: at a quarter, half, three quarters arrived.")] = 2,
    gateway_port: Annotated[int, typer.Option(help="Port of the AWS API.")] = 25_200,
    mqtt_port: Annotated[int, typer.Option(help="Port of the MQTT endpoints.")] = 25_201,
    console_port: Annotated[int, typer.Option(help="Port of the console.")] = 25_202,
    keep: Annotated[Path | None, typer.Option(help="Keep the state and all logs in this new folder.")] = None,
) -> None:
    with ExitStack() as stack:
        folder = keep or Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="device-lobby-survival-")))
        folder.mkdir(exist_ok=True)
        service = Service(folder / "state", gateway_port, mqtt_port, console_port)
        try:
            lost = _run(service, folder, devices, kills)
        except (StartFailed, TimeoutError) as error:
            print(f"FAILED: {error}", file=sys.stderr)
            raise typer.Exit(1) from None
        finally:
            service.stop()
    for line in lost:
        print(f"LOST: {line}")
    if lost:
        raise typer.Exit(1)


def _run(service: Service, folder: Path, count: int, kills: int) -> list[str]:
    """Onboard the devices with kills. Return what was lost."""
    file = service.start()
    manufacturer = Manufacturer(service.state / "factory")
    devices = [manufacturer.make_device(f"survivor-{number:03}") for number in range(count)]
    certids = [fingerprint(load_certificate(paths.certificate.read_text())) for paths in devices]
    run = KillRun(certids, service.target, service.ask, service.session(service.lobby))
    run.claim_a_third()
    began = time.monotonic()
    with ExitStack() as running:
        for number in range(0, count, _PER_PROCESS):
            some = devices[number : number + _PER_PROCESS]
            running.enter_context(device_process(file, some, folder / "devices" / str(number)))
        for number in range(1, kills + 1):
            run.until_arrived(count * number // 4)
            print(f"{time.monotonic() - began:6.1f} s  killed: {dict(run.states())}", flush=True)
            service.kill()
            service.start()
            print(f"{time.monotonic() - began:6.1f} s  started again", flush=True)
        run.until_arrived(count)
    lost = [*run.lost, *run.invalid_histories()]
    lost += run.inactive_certificates(lambda where: service.session(where).client("iot"), service.lobby)
    print(
        f"{time.monotonic() - began:6.1f} s  {run.states()['arrived']} of {count} arrived, {kills} kills, "
        f"{len(lost)} lost; an operator retried {dict(run.retried) or 'none'}"
    )
    return lost


if __name__ == "__main__":
    app()
