/**
 * The characters that a US keyboard types while another layout is active, and the reverse. A barcode reader
 * sends key presses, not characters: `DL1:` becomes `DL1Ö` (German) or `DL&M` (French). The tables are those
 * of `lobby/text/keyboard_layouts.py`: digits, letters and the key with the colon. A layout that has the letters and
 * digits of another one needs none: any character may stand for the colon. Pure.
 */

/** The keys of a layout, without and with Shift. */
type Layout = readonly [string, string];

const US: Layout = ["1234567890qwertyuiopasdfghjkl;zxcvbnm", "!@#$%^&*()QWERTYUIOPASDFGHJKL:ZXCVBNM"];

const LAYOUTS: readonly Layout[] = [
  /* German */ ["1234567890qwertzuiopasdfghjklöyxcvbnm", '!"§$%&/()=QWERTZUIOPASDFGHJKLÖYXCVBNM'],
  /* Czech */ ["+ěščřžýáíéqwertzuiopasdfghjklůyxcvbnm", '1234567890QWERTZUIOPASDFGHJKL"YXCVBNM'],
  /* Slovak */ ["+ľščťžýáíéqwertzuiopasdfghjklôyxcvbnm", '1234567890QWERTZUIOPASDFGHJKL"YXCVBNM'],
  /* Lithuanian */ ["ąčęėįšųū90qwertyuiopasdfghjkl;zxcvbnm", "ĄČĘĖĮŠŲŪ()QWERTYUIOPASDFGHJKL:ZXCVBNM"],
  /* French */ ["&é\"'(-è_çàazertyuiopqsdfghjklmwxcvbn,", "1234567890AZERTYUIOPQSDFGHJKLMWXCVBN?"],
  /* Belgian */ ["&é\"'(§è!çàazertyuiopqsdfghjklmwxcvbn,", "1234567890AZERTYUIOPQSDFGHJKLMWXCVBN?"],
  /* Spanish */ ["1234567890qwertyuiopasdfghjklñzxcvbnm", '!"·$%&/()=QWERTYUIOPASDFGHJKLÑZXCVBNM'],
  /* Turkish F */ ["1234567890fgğıodrnhpuieaütkmlyjövcçzs", "!\"^$%&'()=FGĞIODRNHPUİEAÜTKMLYJÖVCÇZS"],
  /* Russian */ ["1234567890йцукенгшщзфывапролджячсмить", '!"№;%:?*()ЙЦУКЕНГШЩЗФЫВАПРОЛДЖЯЧСМИТЬ'],
  /* Ukrainian */ ["1234567890йцукенгшщзфівапролджячсмить", '!"№;%:?*()ЙЦУКЕНГШЩЗФІВАПРОЛДЖЯЧСМИТЬ'],
  /* Belarusian */ ["1234567890йцукенгшўзфывапролджячсміть", '!"№;%:?*()ЙЦУКЕНГШЎЗФЫВАПРОЛДЖЯЧСМІТЬ'],
  /* Kazakh */ ['"әіңғ,.үұқйцукенгшщзфывапролджячсмить', "!ӘІҢҒ;:ҮҰҚЙЦУКЕНГШЩЗФЫВАПРОЛДЖЯЧСМИТЬ"],
  /* Serbian */ ["1234567890љњертзуиопасдфгхјклчѕџцвбнм", '!"#$%&/()=ЉЊЕРТЗУИОПАСДФГХЈКЛЧЅЏЦВБНМ'],
  /* Macedonian */ ["1234567890љњертѕуиопасдфгхјклчзџцвбнм", "!„“’%‘&*()ЉЊЕРТЅУИОПАСДФГХЈКЛЧЗЏЦВБНМ"],
  /* Bulgarian */ ["1234567890,уеишщксдзьяаожгтнвмюйъэфхп", '!?+"%=:/_№ыУЕИШЩКСДЗѝЯАОЖГТНВМЮЙЪЭФХП'],
  /* Greek */ ["1234567890;ςερτυθιοπασδφγηξκλ΄ζχψωβνμ", "!@#$%^&*():΅ΕΡΤΥΘΙΟΠΑΣΔΦΓΗΞΚΛ¨ΖΧΨΩΒΝΜ"],
  /* Hebrew */ ["1234567890/'קראטוןםפשדגכעיחלךףזסבהנמצ", "!@#$%^&*()QWERTYUIOPASDFGHJKL:ZXCVBNM"],
  /* Dvorak */ ["1234567890',.pyfgcrlaoeuidhtns;qjkxbm", '!@#$%^&*()"<>PYFGCRLAOEUIDHTNS:QJKXBM'],
  /* Colemak */ ["1234567890qwfpgjluy;arstdhneiozxcvbkm", "!@#$%^&*()QWFPGJLUY:ARSTDHNEIOZXCVBKM"],
  /* Bépo */ ["\"«»()@+-/*bépoè^vdljauie,ctsrnàyx.k'q", "1234567890BÉPOÈ!VDLJAUIE;CTSRNÀYX:K?Q"],
  /* Workman */ ["1234567890qdrwbjfup;ashtgyneoizxmcvkl", "!@#$%^&*()QDRWBJFUP:ASHTGYNEOIZXMCVKL"],
];

const TABLES = LAYOUTS.flatMap((layout) => [table(layout, US), table(US, layout)]);

/**
 * The texts that result if `text` was typed on US keys while another layout was active, and the reverse, with
 * Caps Lock or without. Characters that are on neither keyboard stay as they are.
 */
export function asTypedOnUsKeys(text: string): string[] {
  return [text, text.toLowerCase()].flatMap((typed) =>
    TABLES.map((keys) => [...typed].map((character) => keys.get(character) ?? character).join("")),
  );
}

/** Unshifted keys have precedence. */
function table(from: Layout, to: Layout): ReadonlyMap<string, string> {
  const instead = [...to[1], ...to[0]];
  return new Map([...from[1], ...from[0]].map((key, at) => [key, instead[at] ?? key]));
}
