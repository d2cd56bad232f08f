"""A printed label as a phone sees it: turned, out of focus, badly lit, moving a little; as a video for Chromium.

Chromium plays a Y4M file in place of a camera (`--use-file-for-fake-video-capture`). Every picture is drawn from the
label that the factory prints, with noise from a fixed seed, so that a run can be repeated.
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
_DESK: Final = 96


@dataclass(frozen=True)
class Seen:
    """How the label is seen. `turn` in degrees, `blur` in pixels, `width` of the label in pixels; `light` from 0 to 1
    at the dark side of the picture."""

    turn: float = 0
    blur: float = 0
    width: int = 820
    light: float = 1
    noise: int = 0


BADLY: Final = Seen(turn=24, blur=1.6, width=760, light=0.35, noise=14)
"""Turned, out of focus, in the half dark."""


def write_video(label: Path, video: Path, seen: Seen) -> Path:
    """One second of the label at `label` (PNG), which Chromium repeats."""
    with Image.open(label) as opened, video.open("wb") as out:
        out.write(f"YUV4MPEG2 W{WIDTH} H{HEIGHT} F{FPS}:1 Ip A1:1 C420jpeg\n".encode())
        for frame in _frames(opened.convert("L"), seen):
            grey = frame.tobytes()
            out.write(b"FRAME\n" + grey + bytes([128]) * (WIDTH * HEIGHT // 2))
    return video


def _frames(label: Image.Image, seen: Seen) -> Iterator[Image.Image]:
    chance = random.Random(1)  # noqa: S311  # grain in a picture
    small = label.resize((seen.width, round(label.height * seen.width / label.width)), Image.Resampling.LANCZOS)
    shade = _shade(seen.light)
    for number in range(_FRAMES):
        sway = math.sin(2 * math.pi * number / _FRAMES)
        turned = small.rotate(seen.turn + 1.5 * sway, expand=True, fillcolor=_DESK, resample=Image.Resampling.BICUBIC)
        frame = Image.new("L", (WIDTH, HEIGHT), _DESK)
        frame.paste(turned, ((WIDTH - turned.width) // 2 + round(12 * sway), (HEIGHT - turned.height) // 2))
        frame = ImageChops.multiply(frame.filter(ImageFilter.GaussianBlur(seen.blur)), shade)
        yield _noisy(frame, seen.noise, chance) if seen.noise else frame


def _shade(light: float) -> Image.Image:
    """From `light` at the left to full light at the right."""
    ramp = Image.new("L", (WIDTH, 1))
    draw = ImageDraw.Draw(ramp)
    for x in range(WIDTH):
        draw.point((x, 0), round(255 * (light + (1 - light) * x / WIDTH)))
    return ramp.resize((WIDTH, HEIGHT))


def _noisy(frame: Image.Image, noise: int, chance: random.Random) -> Image.Image:
    grain = Image.frombytes("L", frame.size, chance.randbytes(WIDTH * HEIGHT))
    return ImageChops.add(frame, grain.point(lambda value: value * noise // 255), offset=-noise // 2)
