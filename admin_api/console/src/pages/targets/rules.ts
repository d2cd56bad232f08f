/**
 * The API's rules for a target (`lobby/names.py`, `lobby/ledger/targets.py`), so that a slip shows as it is typed.
 * Each gives what is wrong, "got X, want Y", or null. The API has the last word.
 */
import { keyOf, type TargetName } from "../../parts/targets";

const ACCOUNT = /^[0-9]{12}$/;
const REGION = /^[a-z]{2}(-[a-z]{2,12}){1,3}-[0-9]{1,2}$/;
const PROFILE = /^[a-z0-9][a-z0-9-]{0,31}$/;
/** No control, format, private or separating characters; a space is good. */
const PRINTABLE = /^(?:[^\p{C}\p{Z}]| )*$/u;
const MAX_NAME = 64;

export interface Draft {
  account: string;
  region: string;
  name: string;
  profiles: string[];
  /** Whether claims for it want the device's code. */
  presence: boolean;
}

export type Faults = Partial<Record<keyof Draft, string>>;

/** An account id as AWS's pages show it, `1234-5678-9012`, or with spaces: without them. */
export function bareAccount(typed: string): string {
  return typed.replace(/[\s-]/g, "");
}

export function accountFault(account: string): string | null {
  if (ACCOUNT.test(account)) return null;
  const got = /^[0-9]*$/.test(account) ? `${account.length} digits` : `"${account}"`;
  return `Got ${got}, want an AWS account id: 12 digits`;
}

export function regionFault(region: string): string | null {
  return REGION.test(region) ? null : `Got "${region}", want a Region code such as eu-west-1`;
}

export function nameFault(name: string): string | null {
  const length = [...name].length;
  if (name.trim() && length <= MAX_NAME && PRINTABLE.test(name)) return null;
  const got = PRINTABLE.test(name) ? `${length} characters` : "characters that cannot be shown";
  return `Got ${got}, want 1 to ${MAX_NAME} printable ones`;
}

export function profilesFault(profiles: readonly string[]): string | null {
  if (profiles.length === 0) return "Got none, want at least one, such as default";
  const wrong = profiles.find((profile) => !PROFILE.test(profile));
  return wrong === undefined ? null : `Got "${wrong}", want 1 to 32 of a-z 0-9 -, the first not a dash`;
}

/** All that is wrong with a new target, which must not be one of `known`. */
export function faultsOf(draft: Draft, known: readonly (TargetName & { name: string })[] = []): Faults {
  const twin = known.find((each) => keyOf(each) === keyOf(draft));
  const found = {
    account: accountFault(draft.account),
    region: regionFault(draft.region) ?? (twin ? `Registered already, as "${twin.name}"` : null),
    name: nameFault(draft.name),
    profiles: profilesFault(draft.profiles),
  };
  return Object.fromEntries(Object.entries(found).filter(([, fault]) => fault !== null)) as Faults;
}

/** The field that an answer of the API is about; undefined where it is about none. */
export function fieldOf(code: string): keyof Draft | undefined {
  const fields: Record<string, keyof Draft> = {
    INVALID_ACCOUNT: "account",
    INVALID_REGION: "region",
    INVALID_TARGET: "region",
    INVALID_NAME: "name",
    INVALID_PROFILE: "profiles",
  };
  return fields[code];
}
