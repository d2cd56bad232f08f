"""The commands that create device credentials and labels: device and labels.

A run shows its progress, and can be repeated after a crash or with a larger count.
"""

from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Annotated

import typer
from cryptography import x509

from lobby.errors import InvalidInput
from lobby.names import Fingerprint, parse_thing_name, shown
from pki import terminal
from pki.ca import authority, crl, keys, profile
from pki.ca.certificates import common_name, fingerprint
from pki.devices import credentials as devices
from pki.devices import details, manifest, naming, order_csv
from pki.devices.credentials import DEVICES_DIRECTORY, IssuedDevice, IssueOptions, Order
from pki.devices.details import Details
from pki.labels import label as labels
from pki.labels import templates as label_templates
from pki.lobby_account import admission
from pki.terminal import CaDirectory, DevicesDirectory, PassphraseFile

app = typer.Typer()
_MAX_LISTED = 20


@app.command()
def device(  # noqa: PLR0913, PLR0917  # typer: a parameter is an option
    directory: CaDirectory,
    names: Annotated[list[str] | None, typer.Argument(metavar="NAME", help="Thing names.")] = None,
    count: Annotated[int | None, typer.Option(help="Number of devices; their names are --prefix and a number.")] = None,
    prefix: Annotated[str, typer.Option(help="Prefix of the numbered names.")] = "device-",
    start: Annotated[int, typer.Option(help="The first number.")] = 1,
    digits: Annotated[int, typer.Option(help="Number of digits.")] = naming.DEFAULT_DIGITS,
    names_file: Annotated[Path | None, typer.Option("--names", help="File of thing names, one per line.")] = None,
    csr: Annotated[
        list[Path] | None, typer.Option(help="Signing request (PKCS#10) of a device with its own key. Can be repeated.")
    ] = None,
    csv_file: Annotated[
        Path | None,
        typer.Option("--csv", help="CSV file with the column thing_name, and optionally serial_number, sku and batch."),
    ] = None,
    sku: Annotated[str | None, typer.Option(help="Product name (SKU) in the manifest, for rows without one.")] = None,
    batch: Annotated[
        str | None, typer.Option(help="Name of this batch, for a separate manifest: manifest-BATCH.csv.")
    ] = None,
    key_type: Annotated[keys.KeyType, typer.Option(help=terminal.KEY_TYPE_HELP)] = keys.KeyType.EC_P256,
    years: Annotated[
        int | None,
        typer.Option(
            help="Validity, at most until the intermediate expires."
            f" [default: until it expires, at most {profile.DEVICE_YEARS} years]"
        ),
    ] = None,
    label: Annotated[bool, typer.Option("--label/--no-label", help="Create a label image for each device.")] = True,
    devices_directory: DevicesDirectory = None,
    passphrase_file: PassphraseFile = None,
) -> None:
    """Create device credentials: key, certificate, chain and label for each device, and a manifest of all.

    Use one of NAME..., --count, --names, --csv and --csr. After a crash, run the command again: complete devices are
    kept.
    """
    common = Details(sku=details.sku(sku) if sku else "", batch=details.batch(batch) if batch else "")
    orders = [
        replace(order, details=order.details.completed_by(common))
        for order in _orders(names, (count, prefix, start, digits), names_file, csr, csv_file)
    ]
    ca = authority.load_authority(directory, terminal.read_passphrase(passphrase_file))
    output = devices_directory or directory / DEVICES_DIRECTORY
    options = IssueOptions(terminal.current_time(), key_type, years, label)
    with terminal.progress() as bar:
        task = bar.add_task("devices", total=len(orders))
        issued = devices.make_devices(ca, output, orders, options, lambda _: bar.advance(task))
    _print_summary(issued, output, years)
    for name in sorted({order.details.batch for order in orders} - {""}):
        terminal.print_result(f"manifest of the batch: {output / manifest.batch_file(name)}")
    for note in admission.notes(ca.intermediate, (), options.now):
        terminal.print_note(note)


def _orders(
    names: Sequence[str] | None,
    numbers: tuple[int | None, str, int, int],
    names_file: Path | None,
    csr: Sequence[Path] | None,
    csv_file: Path | None,
) -> list[Order]:
    count, prefix, start, digits = numbers
    sources: dict[str, Callable[[], list[Order]]] = {}
    if names:
        sources["NAME"] = lambda: naming.named(names)
    if count is not None:
        sources["--count"] = lambda: naming.numbered(prefix, count, start, digits)
    if names_file is not None:
        sources["--names"] = lambda: naming.from_file(names_file)
    if csv_file is not None:
        sources["--csv"] = lambda: order_csv.from_csv(csv_file)
    if csr:
        sources["--csr"] = lambda: naming.from_requests(csr)
    if len(sources) != 1:
        got = " and ".join(sources) or "none"
        raise InvalidInput("INVALID_ORDER", f"got {got}, want one of NAME, --count, --names, --csv, --csr")
    return next(iter(sources.values()))()


def _print_summary(issued: Sequence[IssuedDevice], directory: Path, years: int | None) -> None:
    if len(issued) <= _MAX_LISTED:
        for each in issued:
            terminal.print_result(f"{each.name}  {each.certid}{'  (kept)' if each.kept else ''}")
    kept = sum(each.kept for each in issued)
    terminal.print_result(f"{len(issued) - kept} created, {kept} kept in {directory}")
    terminal.print_result(f"manifest: {directory / manifest.MANIFEST_FILE}")
    ends = [each.not_after for each in issued if each.shortened]
    if ends:
        terminal.print_note(
            f"valid until {min(ends):%F}, when the intermediate CA expires, not for the requested {years} years"
        )


@app.command("labels")
def print_labels(  # typer: a parameter is an option
    directory: CaDirectory,
    names: Annotated[list[str] | None, typer.Argument(metavar="NAME", help="Names of devices. [default: all]")] = None,
    out: Annotated[
        Path, typer.Option(help="A .pdf, .png, .svg or .zpl file; several pages of images are numbered.")
    ] = Path("labels.pdf"),
    template: Annotated[
        str, typer.Option(help=f"Sheet or roll: {', '.join(label_templates.TEMPLATES)}, or roll-WIDTHxHEIGHT in mm.")
    ] = "a4",
    per_page: Annotated[
        int | None, typer.Option(help="Minimum number of labels per sheet. Only for the sheets to cut: a4 and letter.")
    ] = None,
    dpi: Annotated[int, typer.Option(help="Resolution of the label printer, for .zpl: 203, 300 or 600.")] = 203,
    devices_directory: DevicesDirectory = None,
) -> None:
    """Create labels to print: sheets to cut, Avery sheets, or rolls. Every code is decoded before it is written."""
    labels.require_format(out)
    chosen = _template(template, per_page)
    source = devices_directory or directory / DEVICES_DIRECTORY
    selected = _select_devices(directory, source, names)
    with terminal.progress() as bar:
        task = bar.add_task("labels", total=len(selected))
        for path in labels.write_labels(out, selected, chosen, dpi, lambda: bar.advance(task)):
            terminal.print_result(str(path))


def _template(name: str, per_page: int | None) -> label_templates.Template:
    chosen = label_templates.find_template(name)
    if per_page is None:
        return chosen
    if not chosen.cut:
        raise InvalidInput("INVALID_PER_PAGE", f"got {per_page} for {name}, want it only for a4 and letter")
    return label_templates.cut_sheet(chosen.page, per_page)


def _label_name(certificate: x509.Certificate, source: Path) -> str:
    """Return the thing name, which the lobby also requires. Raise `InvalidInput` INVALID_THING_NAME for any other."""
    try:
        return parse_thing_name(common_name(certificate))
    except InvalidInput as err:
        raise InvalidInput(err.code, f"the certificate {fingerprint(certificate)} in {source}: {err.message}") from None


def _select_devices(directory: Path, source: Path, names: Sequence[str] | None) -> list[tuple[Fingerprint, str]]:
    _, intermediate = authority.load_certificates(directory)
    available: dict[str, Fingerprint] = {}
    for certificate in devices.issued_certificates(intermediate, source):
        name, certid = _label_name(certificate, source), fingerprint(certificate)
        if available.setdefault(name, certid) != certid:
            raise InvalidInput("DUPLICATE_NAME", f"got two certificates of {name} in {source}, want one for each name")
    revoked = {each.fingerprint for each in crl.load_record(directory).revoked}
    for name in names or ():
        if name not in available:
            raise InvalidInput("UNKNOWN_DEVICE", f"got {shown(name)}, want the name of a device in {source}")
        if available[name] in revoked:
            raise InvalidInput("REVOKED_DEVICE", f"got {shown(name)}, which is revoked, want a device that is not")
    if skipped := [name for name, certid in available.items() if certid in revoked and not names]:
        terminal.print_note(f"no labels for {len(skipped)} revoked devices")
        available = {name: certid for name, certid in available.items() if certid not in revoked}
    if not available:
        raise InvalidInput("UNKNOWN_DEVICE", f"got no device in {source}, want at least one: run device first")
    return [(available[name], name) for name in (names or available)]
