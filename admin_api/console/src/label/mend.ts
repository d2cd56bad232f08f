/**
 * What a mistyped code may have been: every code that differs in one character, or in two neighbours swapped, and whose
 * check characters fit. There are some 1,800 of them and a check of 20 bits, so a wrong one fits once in 600 codes: it is
 * offered for comparison with the label, never taken by itself.
 */
import { fits } from "./label";
import { inFours } from "./short_form";

export interface Mended {
  body: string;
  /** The printed line (the first begins with `DL1:`) and the group there, before and after. */
  line: number;
  from: string;
  to: string;
}

const CHARACTERS = [..."ABCDEFGHIJKLMNOPQRSTUVWXYZ234567"];
const GROUP = 4;
const GROUPS_A_LINE = 4;

/** At most a few; none where more than one character is wrong. */
export function mend(body: string): Mended[] {
  return [...neighbours(body)].filter(fits).map((found) => differenceOf(body, found));
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

function differenceOf(body: string, mended: string): Mended {
  const first = [...body].findIndex((character, at) => character !== mended[at]);
  const group = Math.floor(first / GROUP);
  const last =
    body.length - [...body].reverse().findIndex((_, at) => body.at(-1 - at) !== mended.at(-1 - at));
  const span: [number, number] = [group * GROUP, Math.ceil(last / GROUP) * GROUP];
  return {
    body: mended,
    line: Math.floor((group + 1) / GROUPS_A_LINE) + 1,
    from: inFours(body.slice(...span)),
    to: inFours(mended.slice(...span)),
  };
}
