"""Labels, read by a real decoder: rotated, blurred, scaled down, and from printed sheets."""

import hashlib
import io
from collections.abc import Callable
from pathlib import Path

import pytest
import zxingcpp
from PIL import Image, ImageFilter

from lobby.errors import InvalidInput
from lobby.label import decode_label, encode_label
from lobby.names import Fingerprint
from pki import labels, sheets
from pki.errors import LabelError

CERTIDS = [Fingerprint(hashlib.sha256(bytes([i])).hexdigest()) for i in range(20)]


def read_codes(image: Image.Image) -> list[str]:
    return [barcode.text for barcode in zxingcpp.read_barcodes(image)]


def through_png(image: Image.Image) -> Image.Image:
    return Image.open(io.BytesIO(labels.encode_png(image)))


@pytest.mark.parametrize("certid", [*CERTIDS[:5], Fingerprint("0" * 64), Fingerprint("f" * 64)])
def test_a_label_decodes_to_its_fingerprint(certid: Fingerprint) -> None:
    (text,) = read_codes(through_png(labels.render_label(certid, "sensor-1")))
    assert text == encode_label(certid)
    assert decode_label(text) == certid


def _scratched(label: Image.Image) -> Image.Image:
    label.paste(255, (0, 200, label.width, 208))
    return label


def _as_jpeg(label: Image.Image) -> Image.Image:
    buffer = io.BytesIO()
    label.save(buffer, "JPEG", quality=10)
    return Image.open(buffer)


DAMAGE: dict[str, Callable[[Image.Image], Image.Image]] = {
    "turned 7 degrees": lambda label: label.rotate(7, expand=True, fillcolor=255),
    "turned 45 degrees": lambda label: label.rotate(45, expand=True, fillcolor=255),
    "upside down": lambda label: label.rotate(180),
    "blurred": lambda label: label.filter(ImageFilter.GaussianBlur(4)),
    "30 % of its size": lambda label: label.resize((label.width * 3 // 10, label.height * 3 // 10)),
    "small and blurred": lambda label: label.resize((label.width // 2, label.height // 2)).filter(
        ImageFilter.GaussianBlur(1.5)
    ),
    "low contrast": lambda label: label.point(lambda level: 110 + level // 6),
    "scratched": _scratched,
    "JPEG of low quality": _as_jpeg,
}


@pytest.mark.parametrize("damage", DAMAGE.values(), ids=DAMAGE.keys())
def test_a_damaged_label_is_readable(damage: Callable[[Image.Image], Image.Image]) -> None:
    image = damage(labels.render_label(CERTIDS[0], "sensor-1"))
    assert read_codes(image) == [encode_label(CERTIDS[0])]


def test_the_code_has_the_specified_level_size_and_quiet_zone() -> None:
    label = labels.render_label(CERTIDS[0], "d")
    (barcode,) = zxingcpp.read_barcodes(label)
    assert barcode.ec_level == "Q"
    assert len(labels.qr_matrix(encode_label(CERTIDS[0]))) == 33 + 2 * 4
    quiet = labels.QUIET_ZONE * labels.MODULE_PX
    assert label.crop((0, 0, label.height, quiet)).getextrema() == (255, 255)
    assert label.crop((0, 0, quiet, label.height)).getextrema() == (255, 255)


@pytest.mark.parametrize("text", ["DL1:SHORT", "DL1:" + "A" * 90], ids=["short", "long"])
def test_a_code_of_another_size_is_rejected(text: str) -> None:
    with pytest.raises(LabelError, match="LABEL_SIZE"):
        labels.qr_matrix(text)


def test_the_printed_groups_can_be_typed() -> None:
    groups = labels.groups_of_four(encode_label(CERTIDS[0]))
    assert groups[0] == "DL1:"
    assert {len(group) for group in groups} == {4}
    assert decode_label(" ".join(groups).lower()) == CERTIDS[0]


@pytest.mark.parametrize(
    "name", ["d", "W" * 64, "sensor-000001", "i" * 64], ids=["one character", "widest", "usual", "narrow"]
)
def test_every_name_fits_its_area(name: str) -> None:
    label = labels.render_label(CERTIDS[0], name)
    column = labels.HEIGHT * labels.MODULE_PX
    right = label.crop((label.width - 2 * labels.MODULE_PX, 0, label.width, label.height))
    below = label.crop((column, 14 * labels.MODULE_PX, label.width, int(14.6 * labels.MODULE_PX)))
    name_area = label.crop((column, 0, label.width, 14 * labels.MODULE_PX))
    assert right.getextrema() == (255, 255)
    assert below.getextrema() == (255, 255)
    assert name_area.getextrema()[0] == 0


def test_a_label_has_its_print_resolution() -> None:
    across, down = through_png(labels.render_label(CERTIDS[0], "d")).info["dpi"]
    assert (round(across), round(down)) == (300, 300)


@pytest.mark.parametrize("cut", [0, 10, 500])
def test_a_truncated_image_is_not_readable(tmp_path: Path, cut: int) -> None:
    path = tmp_path / "label.png"
    assert not labels.is_readable_image(path)
    complete = labels.encode_png(labels.render_label(CERTIDS[0], "d"))
    path.write_bytes(complete)
    assert labels.is_readable_image(path)
    path.write_bytes(complete[:cut])
    assert not labels.is_readable_image(path)


@pytest.mark.parametrize("per_page", [16, sheets.max_per_page()])
def test_every_label_on_a_sheet_is_readable(per_page: int) -> None:
    grid = sheets.plan_grid(per_page)
    pages = list(sheets.render_pages([(certid, f"s-{i}") for i, certid in enumerate(CERTIDS)], grid))
    assert len(pages) == -(-len(CERTIDS) // grid.per_page)
    codes = [code for page in pages for code in read_codes(page)]
    assert sorted(codes) == sorted(map(encode_label, CERTIDS))


def test_sheets_are_a_pdf_of_a4_pages() -> None:
    pages = list(sheets.render_pages([(certid, "s") for certid in CERTIDS[:3]], sheets.plan_grid(2)))
    document = sheets.encode_pdf(pages)
    assert document.startswith(b"%PDF-")
    assert document.count(b"/MediaBox [ 0 0 595.2 841.92 ]") == 2


@pytest.mark.parametrize("per_page", [0, -1, sheets.max_per_page() + 1, 10**6])
def test_a_grid_of_unreadable_labels_is_rejected(per_page: int) -> None:
    with pytest.raises(InvalidInput, match="INVALID_PER_PAGE"):
        sheets.plan_grid(per_page)


@pytest.mark.parametrize("per_page", [1, 2, 7, 16, 40])
def test_a_grid_fits_the_page(per_page: int) -> None:
    grid = sheets.plan_grid(per_page)
    assert grid.per_page >= per_page
    assert grid.columns * grid.module_px * labels.WIDTH <= sheets.A4[0] - 2 * sheets.MARGIN_PX
    assert grid.rows * grid.module_px * labels.HEIGHT <= sheets.A4[1] - 2 * sheets.MARGIN_PX
