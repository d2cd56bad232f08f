/**
 * Suggests corrections for a mistyped code: every code that differs in one character or in two swapped
 * neighbours and has valid check characters. There are about 1,800 candidates and 20 check bits, so a wrong
 * candidate passes for about one code in 600. Corrections are therefore suggested for comparison with the
 * label, never applied automatically.
 */
import { fits } from "./label";
import { inFours } from "./short_form";

export interface Correction {
  body: string;
  /** The printed line (the first begins with `DL1:`) and the group in it, before and after the correction. */
  line: number;
  from: string;
  to: string;
}

const CHARACTERS = [..."ABCDEFGHIJKLMNOPQRSTUVWXYZ234567"];
const GROUP = 4;
const GROUPS_A_LINE = 4;

/** Return a few corrections at most; none if more than one character is wrong. */
export function corrections(body: string): Correction[] {
  return [...neighbours(body)].filter(fits).map((corrected) => differenceOf(body, corrected));
}

function* neighbours(body: string): Generator<string> {
  for (let at = 0; at < body.length; at++) {
    const before = body.slice(0, at);
    for (const character of CHARACTERS)
      if (character !== body[at]) yield before + character + body.slice(at + 1);
    const pair = body.slice(at, at + 2);
    if (pair.length === 2 && pair[0] !== pair[1]) yield before + pair[1] + pair[0] + body.slice(at + 2);
  }
}

function differenceOf(body: string, corrected: string): Correction {
  const first = [...body].findIndex((character, at) => character !== corrected[at]);
  const group = Math.floor(first / GROUP);
  const last =
    body.length - [...body].reverse().findIndex((_, at) => body.at(-1 - at) !== corrected.at(-1 - at));
  const span: [number, number] = [group * GROUP, Math.ceil(last / GROUP) * GROUP];
  return {
    body: corrected,
    line: Math.floor((group + 1) / GROUPS_A_LINE) + 1,
    from: inFours(body.slice(...span)),
    to: inFours(corrected.slice(...span)),
  };
}
