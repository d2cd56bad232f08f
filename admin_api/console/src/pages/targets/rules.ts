/**
 * The API's rules for a target (`lobby/names.py`, `lobby/ledger/targets/target_registry.py`), so that mistakes show while
 * typing. Each function returns an error message or null. The API has the final decision.
 */
import { keyOf, type TargetName } from "../../parts/targets";

const ACCOUNT = /^[0-9]{12}$/;
const REGION = /^[a-z]{2}(-[a-z]{2,12}){1,3}-[0-9]{1,2}$/;
const PROFILE = /^[a-z0-9][a-z0-9-]{0,31}$/;
/** No control, format, private-use or separator characters except a space. */
const PRINTABLE = /^(?:[^\p{C}\p{Z}]| )*$/u;
const MAX_NAME = 64;

export interface Draft {
  account: string;
  region: string;
  name: string;
  profiles: string[];
  /** Whether claims require a presence code. */
  presence: boolean;
  /** What is done with a device whose certificate seems to be in use twice. */
  clones: ClonePolicy;
}

export type ClonePolicy = "LOBBY" | "FLAG" | "QUARANTINE";

export type Faults = Partial<Record<keyof Draft, string>>;

/** Remove the dashes and spaces of an account id as AWS shows it (`1234-5678-9012`). */
export function bareAccount(typed: string): string {
  return typed.replace(/[\s-]/g, "");
}

export function accountFault(account: string): string | null {
  if (ACCOUNT.test(account)) return null;
  const got = /^[0-9]*$/.test(account) ? `${account.length} digits` : `"${account}"`;
  return `An AWS account ID has 12 digits, not ${got}.`;
}

export function regionFault(region: string): string | null {
  return REGION.test(region)
    ? null
    : region === ""
      ? "Enter a Region code, such as eu-west-1."
      : `"${region}" is not a Region code such as eu-west-1.`;
}

export function nameFault(name: string): string | null {
  const length = [...name].length;
  if (name.trim() && length <= MAX_NAME && PRINTABLE.test(name)) return null;
  const got = PRINTABLE.test(name) ? `${length} characters` : "characters that can't be displayed";
  return `Enter 1 to ${MAX_NAME} printable characters, not ${got}.`;
}

export function profilesFault(profiles: readonly string[]): string | null {
  if (profiles.length === 0) return "Enter at least one profile, such as default.";
  const wrong = profiles.find((profile) => !PROFILE.test(profile));
  return wrong === undefined
    ? null
    : `"${wrong}" is not a profile name. Use 1 to 32 of a-z, 0-9 and -, not starting with -.`;
}

/** Return all errors of a new target, which must not be among `known`. */
export function faultsOf(draft: Draft, known: readonly (TargetName & { name: string })[] = []): Faults {
  const existing = known.find((each) => keyOf(each) === keyOf(draft));
  const faults = {
    account: accountFault(draft.account),
    region: regionFault(draft.region) ?? (existing ? `Already registered as "${existing.name}".` : null),
    name: nameFault(draft.name),
    profiles: profilesFault(draft.profiles),
  };
  return Object.fromEntries(Object.entries(faults).filter(([, fault]) => fault !== null)) as Faults;
}

/** Return the field of an API error; undefined if it concerns none. */
export function fieldOf(code: string): keyof Draft | undefined {
  const fields: Record<string, keyof Draft> = {
    INVALID_ACCOUNT: "account",
    INVALID_REGION: "region",
    INVALID_TARGET: "region",
    INVALID_NAME: "name",
    NAME_IMITATES: "name",
    INVALID_PROFILE: "profiles",
    UNKNOWN_PROFILE: "profiles",
  };
  return fields[code];
}
