"""The characters that a US keyboard types while another layout is active, and the reverse.

A barcode reader sends key presses, not characters. If it and the computer use different layouts, ``DL1:`` becomes
``DL1Ö`` (German) or ``DL&M`` (French). The tables contain the keys that a label's code needs: digits, letters, and the
key with the colon. A layout with the same letters and digits as another one needs no table of its own, because any
character may stand for the colon. The console has the same tables (`keyboard_layouts.ts`).
"""

from collections.abc import Iterator, Mapping
from functools import cache
from typing import Final

_US: Final = ("1234567890qwertyuiopasdfghjkl;zxcvbnm", "!@#$%^&*()QWERTYUIOPASDFGHJKL:ZXCVBNM")
_LAYOUTS: Final[Mapping[str, tuple[str, str]]] = {
    "German": ("1234567890qwertzuiopasdfghjklöyxcvbnm", '!"§$%&/()=QWERTZUIOPASDFGHJKLÖYXCVBNM'),
    "Czech": ("+ěščřžýáíéqwertzuiopasdfghjklůyxcvbnm", '1234567890QWERTZUIOPASDFGHJKL"YXCVBNM'),
    "Slovak": ("+ľščťžýáíéqwertzuiopasdfghjklôyxcvbnm", '1234567890QWERTZUIOPASDFGHJKL"YXCVBNM'),
    "Lithuanian": ("ąčęėįšųū90qwertyuiopasdfghjkl;zxcvbnm", "ĄČĘĖĮŠŲŪ()QWERTYUIOPASDFGHJKL:ZXCVBNM"),
    "French": ("&é\"'(-è_çàazertyuiopqsdfghjklmwxcvbn,", "1234567890AZERTYUIOPQSDFGHJKLMWXCVBN?"),
    "Belgian": ("&é\"'(§è!çàazertyuiopqsdfghjklmwxcvbn,", "1234567890AZERTYUIOPQSDFGHJKLMWXCVBN?"),
    "Spanish": ("1234567890qwertyuiopasdfghjklñzxcvbnm", '!"·$%&/()=QWERTYUIOPASDFGHJKLÑZXCVBNM'),
    "Turkish F": ("1234567890fgğıodrnhpuieaütkmlyjövcçzs", "!\"^$%&'()=FGĞIODRNHPUİEAÜTKMLYJÖVCÇZS"),
    "Russian": ("1234567890йцукенгшщзфывапролджячсмить", '!"№;%:?*()ЙЦУКЕНГШЩЗФЫВАПРОЛДЖЯЧСМИТЬ'),
    "Ukrainian": ("1234567890йцукенгшщзфівапролджячсмить", '!"№;%:?*()ЙЦУКЕНГШЩЗФІВАПРОЛДЖЯЧСМИТЬ'),
    "Belarusian": ("1234567890йцукенгшўзфывапролджячсміть", '!"№;%:?*()ЙЦУКЕНГШЎЗФЫВАПРОЛДЖЯЧСМІТЬ'),
    "Kazakh": ('"әіңғ,.үұқйцукенгшщзфывапролджячсмить', "!ӘІҢҒ;:ҮҰҚЙЦУКЕНГШЩЗФЫВАПРОЛДЖЯЧСМИТЬ"),
    "Serbian": ("1234567890љњертзуиопасдфгхјклчѕџцвбнм", '!"#$%&/()=ЉЊЕРТЗУИОПАСДФГХЈКЛЧЅЏЦВБНМ'),
    "Macedonian": ("1234567890љњертѕуиопасдфгхјклчзџцвбнм", "!„“’%‘&*()ЉЊЕРТЅУИОПАСДФГХЈКЛЧЗЏЦВБНМ"),
    "Bulgarian": ("1234567890,уеишщксдзьяаожгтнвмюйъэфхп", '!?+"%=:/_№ыУЕИШЩКСДЗѝЯАОЖГТНВМЮЙЪЭФХП'),
    "Greek": ("1234567890;ςερτυθιοπασδφγηξκλ΄ζχψωβνμ", "!@#$%^&*():΅ΕΡΤΥΘΙΟΠΑΣΔΦΓΗΞΚΛ¨ΖΧΨΩΒΝΜ"),
    "Hebrew": ("1234567890/'קראטוןםפשדגכעיחלךףזסבהנמצ", "!@#$%^&*()QWERTYUIOPASDFGHJKL:ZXCVBNM"),
    "Dvorak": ("1234567890',.pyfgcrlaoeuidhtns;qjkxbm", '!@#$%^&*()"<>PYFGCRLAOEUIDHTNS:QJKXBM'),
    "Colemak": ("1234567890qwfpgjluy;arstdhneiozxcvbkm", "!@#$%^&*()QWFPGJLUY:ARSTDHNEIOZXCVBKM"),
    "Bépo": ("\"«»()@+-/*bépoè^vdljauie,ctsrnàyx.k'q", "1234567890BÉPOÈ!VDLJAUIE;CTSRNÀYX:K?Q"),
    "Workman": ("1234567890qdrwbjfup;ashtgyneoizxmcvkl", "!@#$%^&*()QDRWBJFUP:ASHTGYNEOIZXMCVKL"),
}


def as_typed_on_us_keys(text: str) -> Iterator[str]:
    """Yield the texts that result if `text` was typed on US keys while another layout was active, and the reverse, with
    Caps Lock or without. Characters that are on neither keyboard stay as they are."""
    for there, back in _tables():
        for typed in (text, text.lower()):
            yield typed.translate(there)
            yield typed.translate(back)


@cache
def _tables() -> tuple[tuple[dict[int, str], dict[int, str]], ...]:
    """Return the tables of all layouts. Made at the first use, because few codes need them."""
    return tuple(_both_ways(layout) for layout in _LAYOUTS.values())


def _both_ways(layout: tuple[str, str]) -> tuple[dict[int, str], dict[int, str]]:
    """Return the table from `layout` to US keys, and the reverse. Unshifted keys have precedence."""
    here, us = layout[1] + layout[0], _US[1] + _US[0]
    return {ord(a): b for a, b in zip(here, us, strict=True)}, {ord(b): a for a, b in zip(here, us, strict=True)}
