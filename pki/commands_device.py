"""The commands that make what goes into and onto a device: device and labels.

A run of many devices shows its progress, and can be run again after a crash or with a larger count.
"""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Annotated

import typer

from lobby.errors import InvalidInput
from lobby.names import Fingerprint, shown
from pki import authority, devices, keys, labels, manifest, naming, profile, sheets, storage, terminal
from pki.certificates import common_name, fingerprint
from pki.devices import DEVICES_DIRECTORY, Made, Order, Terms
from pki.terminal import CaDirectory, DevicesDirectory, PassphraseFile

app = typer.Typer()
_LISTED = 20


@app.command()
def device(  # noqa: PLR0913, PLR0917  # typer: a parameter is an option
    directory: CaDirectory,
    names: Annotated[list[str] | None, typer.Argument(metavar="NAME", help="Thing names.")] = None,
    count: Annotated[int | None, typer.Option(help="How many devices, numbered after --prefix.")] = None,
    prefix: Annotated[str, typer.Option(help="What the numbered names begin with.")] = "device-",
    start: Annotated[int, typer.Option(help="The first number.")] = 1,
    digits: Annotated[int, typer.Option(help="Digits of the number.")] = naming.DEFAULT_DIGITS,
    names_file: Annotated[Path | None, typer.Option("--names", help="File of thing names, one a line.")] = None,
    csr: Annotated[
        list[Path] | None, typer.Option(help="Signing request of a device that keeps its own key. May be repeated.")
    ] = None,
    key_type: Annotated[keys.KeyType, typer.Option(help=terminal.KeyTypeHelp)] = keys.KeyType.EC_P256,
    years: Annotated[int, typer.Option(help="Validity, at most until the intermediate's end.")] = profile.DEVICE_YEARS,
    label: Annotated[bool, typer.Option("--label/--no-label", help="Make a label picture for each device.")] = True,
    devices_directory: DevicesDirectory = None,
    passphrase_file: PassphraseFile = None,
) -> None:
    """Make device credentials: key, certificate, chain and label for each, and a manifest of all.

    Name the devices in one way: NAME..., --count, --names or --csr. Run again after a crash: what is whole is kept.
    """
    orders = _orders(names, (count, prefix, start, digits), names_file, csr)
    ca = authority.load_authority(directory, terminal.read_passphrase(passphrase_file))
    target = devices_directory or directory / DEVICES_DIRECTORY
    terms = Terms(terminal.current_time(), key_type, years, label)
    with terminal.progress() as bar:
        task = bar.add_task("devices", total=len(orders))
        made = devices.make_devices(ca, target, orders, terms, lambda _: bar.advance(task))
    _report(made, target, years)


def _orders(
    names: Sequence[str] | None,
    numbers: tuple[int | None, str, int, int],
    names_file: Path | None,
    csr: Sequence[Path] | None,
) -> list[Order]:
    count, prefix, start, digits = numbers
    ways: dict[str, Callable[[], list[Order]]] = {}
    if names:
        ways["NAME"] = lambda: naming.named(names)
    if count is not None:
        ways["--count"] = lambda: naming.numbered(prefix, count, start, digits)
    if names_file is not None:
        ways["--names"] = lambda: naming.from_file(names_file)
    if csr:
        ways["--csr"] = lambda: naming.from_requests(csr)
    if len(ways) != 1:
        got = " and ".join(ways) or "none"
        raise InvalidInput("INVALID_ORDER", f"got {got}, want one of NAME, --count, --names, --csr")
    return next(iter(ways.values()))()


def _report(made: Sequence[Made], directory: Path, years: int) -> None:
    if len(made) <= _LISTED:
        for one in made:
            terminal.say(f"{one.name}  {one.certid}{'  (kept)' if one.kept else ''}")
    kept = sum(one.kept for one in made)
    terminal.say(f"{len(made) - kept} made, {kept} kept in {directory}")
    terminal.say(f"manifest: {directory / manifest.MANIFEST_FILE}")
    cut = [one for one in made if one.cut_short]
    if cut:
        end = min(one.not_after for one in cut)
        terminal.note(f"valid until {end:%F}, the intermediate CA's end, not for the {years} years asked for")


@app.command("labels")
def print_labels(
    directory: CaDirectory,
    names: Annotated[list[str] | None, typer.Argument(metavar="NAME", help="Which devices; else all.")] = None,
    out: Annotated[Path, typer.Option(help="A .pdf, or a .png (numbered where several pages).")] = Path("labels.pdf"),
    per_page: Annotated[int, typer.Option(help="Labels on an A4 page, at least.")] = sheets.DEFAULT_PER_PAGE,
    devices_directory: DevicesDirectory = None,
) -> None:
    """Make sheets of labels to print on A4 and cut."""
    grid = sheets.plan_grid(per_page)
    if out.suffix.lower() not in {".pdf", ".png"}:
        raise InvalidInput("INVALID_OUT", f"got {out}, want a name that ends in .pdf or .png")
    source = devices_directory or directory / DEVICES_DIRECTORY
    wanted = _labelled(directory, source, names)
    with terminal.progress() as bar:
        task = bar.add_task("labels", total=len(wanted))
        pages = list(sheets.render_pages(wanted, grid, lambda: bar.advance(task)))
    if out.suffix.lower() == ".pdf":
        files = {out: sheets.encode_pdf(pages)}
    else:
        files = {_page_path(out, number, len(pages)): labels.encode_png(page) for number, page in enumerate(pages, 1)}
    for path, content in files.items():
        storage.replace(path, content)
        terminal.say(str(path))


def _labelled(directory: Path, source: Path, names: Sequence[str] | None) -> list[tuple[Fingerprint, str]]:
    _, intermediate = authority.load_certificates(directory)
    found = {
        common_name(certificate): fingerprint(certificate)
        for certificate in devices.issued_certificates(intermediate, source)
    }
    for name in names or ():
        if name not in found:
            raise InvalidInput("UNKNOWN_DEVICE", f"got {shown(name)}, want the name of a device in {source}")
    if not found:
        raise InvalidInput("UNKNOWN_DEVICE", f"got no device in {source}, want some: run device first")
    return [(found[name], name) for name in (names or found)]


def _page_path(out: Path, number: int, pages: int) -> Path:
    return out if pages == 1 else out.with_name(f"{out.stem}-{number:03d}{out.suffix}")
