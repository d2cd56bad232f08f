/**
 * Which devices the page shows, as its address says it: `?state=failed&target=123456789012/eu-west-1&reason=…&name=…` or
 * `&print=…`, with the page's size and where it begins. What an address says wrongly is left out.
 */
import { STATES } from "../../parts/state_badge";
import type { Kind } from "./search_text";

export const SIZES = [20, 50, 100] as const;
const DEFAULT_SIZE = 20;

export interface Question {
  state: string | null;
  /** `account/region`. */
  target: string | null;
  reason: string | null;
  name: string | null;
  print: string | null;
  size: number;
  /** Where the page begins; null: at the beginning. */
  after: string | null;
}

export const EVERYTHING: Question = {
  state: null,
  target: null,
  reason: null,
  name: null,
  print: null,
  size: DEFAULT_SIZE,
  after: null,
};

export function questionOf(search: string): Question {
  const given = new URLSearchParams(search);
  const state = given.get("state");
  const size = Number(given.get("size"));
  return {
    state: state !== null && Object.hasOwn(STATES, state) ? state : null,
    target: matching(given.get("target"), /^\d{12}\/[a-z0-9-]+$/),
    reason: matching(given.get("reason"), /^[A-Z][A-Z0-9_]{0,63}$/),
    name: matching(given.get("name"), /^[a-zA-Z0-9:_-]{2,128}$/),
    print: matching(given.get("print"), /^[0-9a-f]{4,64}$/),
    size: SIZES.find((known) => known === size) ?? DEFAULT_SIZE,
    after: given.get("after") || null,
  };
}

/** The address of a question: what is as usual is not in it. */
export function addressOf(question: Question): string {
  const search = new URLSearchParams();
  for (const key of ["state", "target", "reason", "name", "print"] as const) {
    const value = question[key];
    if (value !== null) search.set(key, value);
  }
  if (question.size !== DEFAULT_SIZE) search.set("size", String(question.size));
  if (question.after !== null) search.set("after", question.after);
  return search.size > 0 ? `/devices?${search}` : "/devices";
}

/** Another question begins at its first page. A reason is one of the state's own: with another state it goes. */
export function asking(question: Question, change: Partial<Question>): Question {
  const next = { ...question, after: null, ...change };
  const stays = change.state === undefined || change.state === question.state || change.reason !== undefined;
  return stays ? next : { ...next, reason: null };
}

/** Every device that the search box can find, by one beginning or the other. */
export function searching(question: Question, kind: Kind | null, text: string): Question {
  return asking(question, { name: kind === "name" ? text : null, print: kind === "print" ? text : null });
}

/** What `devices` takes as its filter; null for all of them. */
export function filterOf({ state, target, reason, name, print }: Question) {
  const [account, region] = target?.split("/") ?? [];
  const filter = {
    ...(state === null ? {} : { state }),
    ...(account && region ? { target: { account, region } } : {}),
    ...(reason === null ? {} : { reason }),
    ...(name === null ? {} : { namePrefix: name }),
    ...(print === null ? {} : { fingerprintPrefix: print }),
  };
  return Object.keys(filter).length > 0 ? filter : null;
}

/** In what order the API answers. */
export function orderOf({ state, target, name, print }: Question): string {
  if (print !== null) return "By fingerprint";
  if (name !== null) return "By name";
  return state !== null || target !== null ? "Newest first" : "Those who need somebody first";
}

function matching(text: string | null, form: RegExp): string | null {
  return text !== null && form.test(text) ? text : null;
}
