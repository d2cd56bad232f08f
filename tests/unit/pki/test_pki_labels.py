"""Labels, read by a real decoder: rotated, blurred, scaled down, and from printed sheets of every kind."""

import hashlib
import io
import re
from collections.abc import Callable
from pathlib import Path

import pypdfium2
import pytest
import zxingcpp
from PIL import Image, ImageFilter

from lobby.errors import InvalidInput
from lobby.names import Fingerprint
from lobby.text.label import decode_label, encode_label
from pki.errors import LabelError
from pki.labels import label as labels
from pki.labels import layout as label_layout
from pki.labels import qr_codes
from pki.labels.layout import MIN_MODULE_MM, MIN_PT, MM_PER_PT, lay_out
from pki.labels.pdf import helvetica
from pki.labels.templates import LETTER, TEMPLATES, Template, cut_sheet, find_template
from tests.bench.labels import Measurement, measure, misses

CERTIDS = [Fingerprint(hashlib.sha256(bytes([i])).hexdigest()) for i in range(70)]
NAMES = ["d", "sensor-000001", "meter:EU_042-17", "a-very-long_name:with-64-characters-abcdefghijklmnopqrstuvwxyz01"]
DEVICES = [(certid, NAMES[i % len(NAMES)]) for i, certid in enumerate(CERTIDS)]


def read_codes(image: Image.Image) -> list[str]:
    return [barcode.text for barcode in zxingcpp.read_barcodes(image)]


def through_png(image: Image.Image) -> Image.Image:
    return Image.open(io.BytesIO(labels.encode_png(image)))


def write(out: Path, devices: list[tuple[Fingerprint, str]], template: Template, dpi: int = 203) -> list[Path]:
    return list(labels.write_labels(out, devices, template, dpi))


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
    image = damage(labels.render_label(CERTIDS[0], "sensor-1").convert("L"))
    assert read_codes(image) == [encode_label(CERTIDS[0])]


def test_the_code_has_the_specified_level_size_and_quiet_zone() -> None:
    (barcode,) = zxingcpp.read_barcodes(labels.render_label(CERTIDS[0], "d"))
    assert barcode.ec_level == "Q"
    matrix = qr_codes.label_code(CERTIDS[0])
    assert [len(matrix), *map(len, matrix)] == [33 + 2 * 4] * (33 + 2 * 4 + 1)
    assert not any(any(row) for row in matrix[:4] + matrix[-4:])
    assert not any(any(row[:4] + row[-4:]) for row in matrix)


@pytest.mark.parametrize("text", ["DL1:SHORT", "DL1:" + "A" * 90], ids=["short", "long"])
def test_a_code_of_another_size_is_rejected(text: str) -> None:
    with pytest.raises(LabelError, match="LABEL_SIZE"):
        qr_codes.qr_matrix(text)


def test_a_code_that_a_decoder_does_not_read_is_rejected(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    good = qr_codes.qr_matrix(encode_label(CERTIDS[0]))
    with pytest.raises(LabelError, match="UNREADABLE_LABEL"):
        qr_codes.check(good, encode_label(CERTIDS[1]))
    damaged = [bytes(len(row)) if 10 < number < 30 else row for number, row in enumerate(good)]
    monkeypatch.setattr(qr_codes, "qr_matrix", lambda _: damaged)
    out = tmp_path / "labels.pdf"
    out.write_bytes(b"before")
    with pytest.raises(LabelError, match="UNREADABLE_LABEL"):
        write(out, DEVICES[:2], TEMPLATES["a4"])
    assert out.read_bytes() == b"before"
    assert [path.name for path in tmp_path.iterdir()] == ["labels.pdf"]


def test_the_printed_groups_can_be_typed() -> None:
    groups = label_layout.groups_of_four(encode_label(CERTIDS[0]))
    assert groups[0] == "DL1:"
    assert {len(group) for group in groups} == {4}
    assert decode_label(" ".join(groups).lower()) == CERTIDS[0]


@pytest.mark.parametrize("name", TEMPLATES)
@pytest.mark.parametrize("text", [*NAMES, "W" * 40], ids=["one", "usual", "marks", "long", "wide"])
def test_texts_are_at_least_6_pt_and_inside_the_label(name: str, text: str) -> None:
    width, height = TEMPLATES[name].label
    layout = lay_out(width, height, CERTIDS[0], text, helvetica)
    assert layout.module >= MIN_MODULE_MM
    side = layout.module * qr_codes.SIDE
    assert layout.left >= 0
    assert layout.top >= 0
    assert max(layout.left + side - width, layout.top + side - height) < 0.001
    assert text == "".join(line.text for line in layout.texts)[: len(text)]
    for line in layout.texts:
        assert line.size >= MIN_PT
        assert line.x + helvetica(line.text, line.size) <= width
        assert line.size * MM_PER_PT * 0.7 <= line.y <= height
        assert line.x >= layout.left + side - 0.001 or line.y - line.size * MM_PER_PT >= layout.top + side - 0.5


@pytest.mark.parametrize(("width", "height", "name"), [(30, 15, "d"), (17, 60, "d"), (26, 18, "W" * 64)])
def test_a_label_that_is_too_small_is_rejected(width: float, height: float, name: str) -> None:
    with pytest.raises(InvalidInput, match="LABEL_SIZE"):
        lay_out(width, height, CERTIDS[0], name, helvetica)


@pytest.mark.parametrize("name", TEMPLATES)
def test_every_label_of_a_printed_pdf_is_readable(name: str, tmp_path: Path) -> None:
    template = TEMPLATES[name]
    devices = DEVICES[: template.per_page + 1]
    (path,) = write(tmp_path / "labels.pdf", devices, template)
    document = pypdfium2.PdfDocument(str(path))
    sizes = [page.get_size() for page in document]
    assert len(sizes) == 2
    assert sizes[0] == pytest.approx([side / MM_PER_PT for side in template.page], abs=0.1)
    codes = [code for page in document for code in read_codes(page.render(scale=300 / 72, grayscale=True).to_pil())]
    assert sorted(codes) == sorted(encode_label(certid) for certid, _ in devices)
    assert NAMES[1] in document[1 if template.per_page == 1 else 0].get_textpage().get_text_range()
    document.close()


def test_labels_do_not_overlap_or_leave_the_page() -> None:
    for template in TEMPLATES.values():
        corners = [template.corner(index) for index in range(template.per_page)]
        for left, top in corners:
            assert -0.01 <= left <= template.page[0] - template.label[0] + 0.01
            assert -0.01 <= top <= template.page[1] - template.label[1] + 0.01
        assert template.columns == 1 or template.pitch[0] >= template.label[0] - 0.01
        assert template.rows == 1 or template.pitch[1] >= template.label[1] - 0.01


def test_png_pages_are_numbered_and_have_their_resolution(tmp_path: Path) -> None:
    paths = write(tmp_path / "s.png", DEVICES[:30], TEMPLATES["a4"])
    assert [path.name for path in paths] == ["s-001.png", "s-002.png"]
    codes = []
    for path in paths:
        with Image.open(path) as page:
            codes += read_codes(page)
            assert [round(value) for value in page.info["dpi"]] == [300, 300]
    assert sorted(codes) == sorted(map(encode_label, CERTIDS[:30]))
    assert write(tmp_path / "one.png", DEVICES[:1], TEMPLATES["a4"]) == [tmp_path / "one.png"]


def test_svg_contains_the_modules_and_texts(tmp_path: Path) -> None:
    (path,) = write(tmp_path / "s.svg", DEVICES[1:2], find_template("roll-76x35"))
    text = path.read_text()
    assert ">sensor-000001</text>" in text
    (drawn,) = re.findall(r'<path transform="[^"]*" d="([^"]*)"', text)
    runs = [tuple(map(int, run)) for run in re.findall(r"M(\d+) (\d+)h(\d+)v1h-\d+z", drawn)]
    assert runs == qr_codes.runs(qr_codes.label_code(CERTIDS[1]))
    assert min(float(size) for size in re.findall(r'font-size="([\d.]+)"', text)) >= MIN_PT * MM_PER_PT - 0.001


@pytest.mark.parametrize("dpi", [203, 300, 600])
def test_the_graphic_of_a_zpl_label_is_readable(dpi: int, tmp_path: Path) -> None:
    (path,) = write(tmp_path / "s.zpl", DEVICES[:2], find_template("roll-50x25"), dpi)
    found = re.findall(r"\^GFA,(\d+),\d+,(\d+),([0-9A-F]+)\^FS", path.read_text())
    assert path.read_text().count("^XA") == path.read_text().count("^XZ") == len(found) == 2
    for (total, row, content), certid in zip(found, CERTIDS, strict=False):
        size = int(row) * 8, int(total) // int(row)
        image = Image.frombytes("1", size, bytes(byte ^ 0xFF for byte in bytes.fromhex(content)))
        assert read_codes(image) == [encode_label(certid)]
    heights = [int(height) for height in re.findall(r"\^A0N,(\d+)", path.read_text())]
    assert min(heights) >= round(MIN_PT * dpi / 72)


REJECTED: dict[str, Callable[[Path], object]] = {
    "UNKNOWN_TEMPLATE": lambda _: find_template("avery-0000"),
    "UNKNOWN_TEMPLATE: got 'roll-0x10'": lambda _: find_template("roll-0x10"),
    "INVALID_OUT": lambda path: write(path / "x.doc", DEVICES[:1], TEMPLATES["a4"]),
    "INVALID_DPI": lambda path: write(path / "x.zpl", DEVICES[:1], find_template("roll-50x25"), 72),
    "LABEL_SIZE": lambda path: write(path / "x.pdf", DEVICES[:1], find_template("roll-10x10")),
    "INVALID_PER_PAGE": lambda _: cut_sheet(LETTER, 0),
    "INVALID_PER_PAGE: got 1000": lambda _: cut_sheet(LETTER, 1000),
}


@pytest.mark.parametrize(("message", "call"), REJECTED.items(), ids=REJECTED)
def test_an_impossible_order_is_rejected(message: str, call: Callable[[Path], object], tmp_path: Path) -> None:
    with pytest.raises(InvalidInput, match=message):
        call(tmp_path)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("per_page", [1, 2, 7, 16, 40, 70])
def test_a_sheet_to_cut_has_enough_labels_with_readable_codes(per_page: int) -> None:
    sheet = cut_sheet(LETTER, per_page)
    assert sheet.per_page >= per_page
    assert lay_out(*sheet.label, CERTIDS[0], "sensor-1", helvetica).module >= MIN_MODULE_MM


@pytest.mark.parametrize("cut", [0, 10, 500])
def test_a_truncated_image_is_not_readable(tmp_path: Path, cut: int) -> None:
    path = tmp_path / "label.png"
    assert not labels.is_readable_image(path)
    complete = labels.encode_png(labels.render_label(CERTIDS[0], "d"))
    path.write_bytes(complete)
    assert labels.is_readable_image(path)
    path.write_bytes(complete[:cut])
    assert not labels.is_readable_image(path)


def test_the_benchmark_reports_what_is_over_budget() -> None:
    assert measure(20).labels == 20
    fast = Measurement(1000, "a4", 2.0, 50.0, 1)
    assert misses([fast, Measurement(5000, "a4", 10.0, 51.0, 1)]) == []
    assert len(misses([fast, Measurement(5000, "a4", 26.0, 90.0, 1)])) == 2
