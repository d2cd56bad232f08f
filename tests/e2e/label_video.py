"""A video of a printed label for Chromium's fake camera: rotated, out of focus, badly lit, moving slightly.

Chromium plays a Y4M file in place of a camera (`--use-file-for-fake-video-capture`). Every frame is drawn from the
label's image, with noise from a fixed seed, so that all runs are the same.
"""

import math
import random
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from PIL import Image, ImageChops, ImageDraw, ImageFilter

WIDTH, HEIGHT, FPS = 1280, 720, 15
_FRAMES: Final = 15
_BACKGROUND: Final = 96


@dataclass(frozen=True)
class View:
    """The camera's view of the label: `rotation` in degrees, `blur` in pixels, `width` of the label in pixels, `light`
    from 0 to 1 at the dark side of the frame."""

    rotation: float = 0
    blur: float = 0
    width: int = 820
    light: float = 1
    noise: int = 0


POOR_VIEW: Final = View(rotation=24, blur=1.6, width=760, light=0.35, noise=14)
"""Rotated, out of focus, badly lit."""


def write_video(label: Path, video: Path, view: View) -> Path:
    """Write one second of video of the label's image (PNG), which Chromium repeats."""
    with Image.open(label) as opened, video.open("wb") as out:
        out.write(f"YUV4MPEG2 W{WIDTH} H{HEIGHT} F{FPS}:1 Ip A1:1 C420jpeg\n".encode())
        for frame in _frames(opened.convert("L"), view):
            grey = frame.tobytes()
            out.write(b"FRAME\n" + grey + bytes([128]) * (WIDTH * HEIGHT // 2))
    return video


def _frames(label: Image.Image, view: View) -> Iterator[Image.Image]:
    generator = random.Random(1)  # noqa: S311  # noise in a video
    small = label.resize((view.width, round(label.height * view.width / label.width)), Image.Resampling.LANCZOS)
    shade = _shade(view.light)
    for number in range(_FRAMES):
        sway = math.sin(2 * math.pi * number / _FRAMES)
        rotated = small.rotate(
            view.rotation + 1.5 * sway, expand=True, fillcolor=_BACKGROUND, resample=Image.Resampling.BICUBIC
        )
        frame = Image.new("L", (WIDTH, HEIGHT), _BACKGROUND)
        frame.paste(rotated, ((WIDTH - rotated.width) // 2 + round(12 * sway), (HEIGHT - rotated.height) // 2))
        frame = ImageChops.multiply(frame.filter(ImageFilter.GaussianBlur(view.blur)), shade)
        yield _noisy(frame, view.noise, generator) if view.noise else frame


def _shade(light: float) -> Image.Image:
    """Return a mask from `light` at the left to full light at the right."""
    ramp = Image.new("L", (WIDTH, 1))
    draw = ImageDraw.Draw(ramp)
    for x in range(WIDTH):
        draw.point((x, 0), round(255 * (light + (1 - light) * x / WIDTH)))
    return ramp.resize((WIDTH, HEIGHT))


def _noisy(frame: Image.Image, noise: int, generator: random.Random) -> Image.Image:
    grain = Image.frombytes("L", frame.size, generator.randbytes(WIDTH * HEIGHT))
    return ImageChops.add(frame, grain.point(lambda value: value * noise // 255), offset=-noise // 2)
