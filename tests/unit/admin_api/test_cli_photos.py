"""Photos and PDF sheets of labels: every common format is read, and other files are named."""

from pathlib import Path

import pillow_heif
import pytest
import qrcode
from PIL import Image

from admin_api.cli.inputs import pictures
from admin_api.cli.inputs.photos import read_photo
from lobby.errors import InvalidInput
from lobby.names import Fingerprint
from lobby.text.label import encode_label

ONE, TWO = (Fingerprint(f"{number:064x}") for number in (1, 2))


def symbol(certid: Fingerprint) -> Image.Image:
    """Return the QR code of a label, black on white."""
    code = qrcode.QRCode(box_size=6, border=4)
    code.add_data(encode_label(certid))
    image: Image.Image = code.make_image().get_image().convert("L")
    return image


def transparent(certid: Fingerprint) -> Image.Image:
    """Return the QR code in black on a transparent background."""
    dark = symbol(certid).point(lambda level: 255 - level)
    image = Image.new("RGBA", dark.size, (0, 0, 0, 0))
    image.putalpha(dark)
    return image


@pytest.mark.parametrize("suffix", ["png", "jpg", "tiff", "webp", "bmp", "gif"])
def test_a_photo_is_read_in_every_common_format(tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"label.{suffix}"
    symbol(ONE).save(path)
    assert read_photo(path).certids == (ONE,)


def test_a_photo_of_an_iphone_is_read(tmp_path: Path) -> None:
    path = tmp_path / "IMG_0001.HEIC"
    pillow_heif.from_pillow(symbol(ONE).convert("RGB")).save(path)
    assert read_photo(path).certids == (ONE,)


def test_a_label_without_a_background_is_read(tmp_path: Path) -> None:
    path = tmp_path / "label.png"
    transparent(ONE).save(path)
    assert read_photo(path).certids == (ONE,)


def test_a_palette_with_a_transparent_colour_is_read(tmp_path: Path) -> None:
    path = tmp_path / "label.gif"
    symbol(ONE).convert("P").save(path, transparency=255)
    assert read_photo(path).certids == (ONE,)


@pytest.mark.parametrize("suffix", ["tiff", "gif", "webp", "png"])
def test_every_picture_of_a_file_is_read(tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"scan.{suffix}"
    symbol(ONE).convert("RGB").save(path, save_all=True, append_images=[symbol(TWO).convert("RGB")])
    assert read_photo(path).certids == (ONE, TWO)


def test_a_white_label_on_a_transparent_background_is_read(tmp_path: Path) -> None:
    path = tmp_path / "label.png"
    image = Image.new("RGBA", symbol(ONE).size, (255, 255, 255, 0))
    image.putalpha(symbol(ONE).point(lambda level: 255 - level))
    image.save(path)
    assert read_photo(path).certids == (ONE,)


def test_every_page_of_a_pdf_is_read(tmp_path: Path) -> None:
    path = tmp_path / "sheet.pdf"
    symbol(ONE).save(path, save_all=True, append_images=[symbol(TWO)])
    assert read_photo(path).certids == (ONE, TWO)


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("a.txt", b"no picture"),
        ("a.png", b"\x89PNG\r\n\x1a\n broken"),
        ("a.heic", b"\x00\x00\x00\x18ftypheic broken"),
        ("a.pdf", b"%PDF-1.7 broken"),
        ("a.jpg", b""),
        ("a.eps", b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 10 10\n%%EndComments\nshowpage\n%%EOF\n"),
    ],
)
def test_a_file_that_cannot_be_read_is_refused(tmp_path: Path, name: str, content: bytes) -> None:
    path = tmp_path / name
    path.write_bytes(content)
    with pytest.raises(InvalidInput) as refused:
        read_photo(path)
    assert refused.value.code == "UNREADABLE_FILE"
    assert "want a photo (JPEG, PNG, HEIC, TIFF, WebP) or a PDF" in refused.value.message


def test_a_missing_file_and_a_folder_are_refused(tmp_path: Path) -> None:
    for path in (tmp_path / "missing.png", tmp_path):
        with pytest.raises(InvalidInput, match="UNREADABLE_FILE"):
            read_photo(path)


def test_a_picture_without_a_label_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "wall.png"
    Image.new("L", (200, 200), 255).save(path)
    with pytest.raises(InvalidInput, match="NO_CODE_FOUND"):
        read_photo(path)


def test_a_faded_label_is_read(tmp_path: Path) -> None:
    file = tmp_path / "faded.png"
    symbol(ONE).convert("L").point(lambda value: 120 + value // 16).save(file)
    assert read_photo(file).certids == (ONE,)


def test_a_photo_with_damaged_metadata_is_read_without_a_warning(tmp_path: Path) -> None:
    file = tmp_path / "damaged.jpg"
    symbol(ONE).convert("RGB").save(file, exif=b"Exif\0\0MM\0*\0\0\0\x08\xff\xff")
    assert read_photo(file).certids == (ONE,)


def test_a_photo_of_108_megapixels_is_read_without_a_warning(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    label = symbol(ONE).convert("L")
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", Image.MAX_IMAGE_PIXELS)  # the command changes it
    monkeypatch.setattr(pictures, "MAX_PIXELS", int(label.width * label.height * 1.5))
    monkeypatch.setattr(pictures, "_REDUCED_FROM", 1)
    file = tmp_path / "large.jpg"
    label.resize((label.width, label.height)).save(file)
    assert read_photo(file).certids == (ONE,)


def test_a_picture_that_is_too_large_is_refused_with_the_limit(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", Image.MAX_IMAGE_PIXELS)  # the command changes it
    monkeypatch.setattr(pictures, "MAX_PIXELS", 1000)
    file = tmp_path / "huge.png"
    symbol(ONE).save(file)
    with pytest.raises(InvalidInput, match=r"more than 0 megapixels: reduce or crop it") as refused:
        read_photo(file)
    assert refused.value.code == "UNREADABLE_FILE"
