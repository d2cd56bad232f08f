/**
 * Numbers that a spreadsheet has damaged: shortened, rounded to 15 digits, grouped, with decimals or a currency,
 * without their leading zeros, made into dates, or an error in place of the value. The rules are those of `lobby/text/damaged_numbers.py`.
 */
import { shown } from "../label/label";
import { ListError } from "./list_error";

const ACCOUNT_DIGITS = 12;
/** Of an account without its leading zeros. A shorter number is another mistake. */
const MIN_DIGITS = 6;
const NAME = /^\d+E\d+$/i;
/** The short names of months in the languages of spreadsheets. */
const MONTH =
  "(?:jan|ene|janv|feb|fev|févr?|fév|mar|mär|mrz|mrt|mars|apr|avr|avril|abr|may|mai|mei|maj|mag|jun|juin|giu|jul|juil" +
  "|lug|aug|août|ago|sept?|set|oct|okt|out|ott|nov|dec|dez|déc|dic)";
const DATE = "a date that a spreadsheet has made of it";
const DAMAGES: readonly (readonly [RegExp, string])[] = [
  [
    /^[+\u2212-]?\d([.,]\d{1,15})? ?(?:E ?[+\u2212-]?|[×x*] ?10\^)\d{1,3}$/i,
    "a number that a spreadsheet has shortened",
  ],
  [/^[1-9]\d{14}0{4,}$/, "a number that a spreadsheet has rounded to 15 digits"],
  [
    /^[(+\u2212-]?[$€£¥]? ?(?:\d{1,3}([.,'’\u00a0\u202f ])\d{3}(\1\d{3})+((?!\1)[.,]\d+)?|\d{1,3}([.,'’\u00a0\u202f ])\d{3}(?!\4)[.,]\d+|\d{1,3}(?:,\d{2})+,\d{3}|\d{4,}[.,]0+) ?[$€£¥]?\)?$/,
    "a number that a spreadsheet has formatted",
  ],
  [
    new RegExp(String.raw`^(?:\d{1,2}(?:-|\. ?)${MONTH}\.?(?:[- ]?\d{2,4})?|${MONTH}\.?[- ]\d{2,4})$`, "i"),
    DATE,
  ],
  [/^\d{1,2}([./])\d{1,2}\1\d{2,4}$/, DATE],
  [
    /^(?:=?(?:#{3,}|#N\/[A-Z]{1,2}|#NV|#[\p{Lu}\p{Lo}]{2,}[/0-9]*[!?]|#GETTING_DATA)|(?:Err|Error|Erreur|Errore|Erro|Fehler|Fout|Fel) ?:5\d\d)$/u,
    "an error of a spreadsheet in place of the value",
  ],
];

/** Throws `ListError` DAMAGED_NUMBER if a spreadsheet has damaged the digits of `text`. */
export function checkNumber(text: string, column: string): void {
  for (const [form, damage] of DAMAGES) {
    if (!form.test(text)) continue;
    const want = `the digits: format the column ${column} as text before you fill it`;
    throw new ListError("DAMAGED_NUMBER", `got ${shown(text)}, ${damage}, want ${want}`);
  }
}

/** As `checkNumber`, for a thing name. `3E10` is one: a spreadsheet writes the sign of the exponent. */
export function checkName(text: string, column: string): void {
  if (!NAME.test(text)) checkNumber(text, column);
}

/** Throws `ListError` DAMAGED_NUMBER for an account that has lost its leading zeros or is damaged otherwise. */
export function checkAccount(account: string): void {
  checkNumber(account, "of the account");
  if (/^\d+$/.test(account) && account.length >= MIN_DIGITS && account.length < ACCOUNT_DIGITS)
    throw new ListError(
      "DAMAGED_NUMBER",
      `got account ${shown(account)} with ${account.length} digits, want ${ACCOUNT_DIGITS} (a spreadsheet removes leading zeros)`,
    );
}
