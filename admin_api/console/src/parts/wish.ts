/**
 * Where somebody wants devices to go, as it is typed, and what the API is told of it. Held to the API's own rules as it
 * is typed (`lobby/domain/transitions.py`), so that nobody learns of a slip from a thousand refusals.
 */
import { keyOf, type TargetEntry } from "./targets";

/** `usual`: not said; a claim then takes the default config, a move keeps what was. */
export type ConfigKind = "usual" | "text" | "json";

export interface Wish {
  target: string | null;
  /** Null: not said. */
  profile: string | null;
  kind: ConfigKind;
  text: string;
  json: string;
}

export const NO_WISH: Wish = { target: null, profile: null, kind: "usual", text: "", json: "" };

export const MAX_CONFIG_BYTES = 8 * 1024;
export const MAX_CONFIG_DEPTH = 32;
const FACTORY_RESET = "factory reset";
const DEFAULT_PROFILE = "default";

/** What `claimDevice`, `claimDevices` and `moveDevice` take. */
export interface WishVariables {
  target: { account: string; region: string };
  profile?: string;
  config?: unknown;
}

/** Why the config cannot be sent; undefined where it can. */
export function faultOf(wish: Wish): string | undefined {
  if (wish.kind === "usual") return undefined;
  if (wish.kind === "text") return wish.text === "" ? "got no text, want some" : faultOfConfig(wish.text);
  if (wish.json.trim() === "") return 'got nothing, want a JSON object such as {"interval": 60}';
  let value: unknown;
  try {
    value = JSON.parse(wish.json);
  } catch (error) {
    return `got no JSON: ${error instanceof Error ? error.message : String(error)}`;
  }
  if (typeof value !== "object" || value === null || Array.isArray(value))
    return `got ${Array.isArray(value) ? "a list" : JSON.stringify(value)}, want an object in { }`;
  return faultOfConfig(value);
}

function faultOfConfig(value: unknown): string | undefined {
  if (value === FACTORY_RESET)
    return `got "${FACTORY_RESET}", want anything else: a device would come straight back`;
  if (isDeeper(value, MAX_CONFIG_DEPTH)) return `got a config nested deeper than ${MAX_CONFIG_DEPTH}`;
  const bytes = new TextEncoder().encode(JSON.stringify(value)).length;
  return bytes > MAX_CONFIG_BYTES ? `got ${bytes} bytes, want at most ${MAX_CONFIG_BYTES}` : undefined;
}

/** Whether objects and lists are within each other more than `levels` deep. Does not recurse itself. */
function isDeeper(value: unknown, levels: number): boolean {
  let layer: unknown[] = [value];
  for (let level = 0; level <= levels; level++)
    layer = layer.flatMap((one) => (typeof one === "object" && one !== null ? Object.values(one) : []));
  return layer.length > 0;
}

/** What to send; undefined while something is missing or wrong. */
export function variablesOf(wish: Wish): WishVariables | undefined {
  const [account, region] = wish.target?.split("/") ?? [];
  if (!account || !region || faultOf(wish) !== undefined) return undefined;
  return {
    target: { account, region },
    ...(wish.profile === null ? {} : { profile: wish.profile }),
    ...(wish.kind === "text" ? { config: wish.text } : {}),
    ...(wish.kind === "json" ? { config: JSON.parse(wish.json) as unknown } : {}),
  };
}

/** The profiles that the wish's target has. */
export function profilesOf(wish: Wish, targets: readonly TargetEntry[]): readonly string[] {
  return targets.find((each) => keyOf(each) === wish.target)?.profiles ?? [];
}

/** The wish for another target; a profile that is not there is no longer wished for. */
export function sentTo(wish: Wish, target: string | null, targets: readonly TargetEntry[]): Wish {
  const moved = { ...wish, target };
  const stays = wish.profile !== null && profilesOf(moved, targets).includes(wish.profile);
  return { ...moved, profile: stays ? wish.profile : null };
}

/** The profile that holds if none is said: the kept one, or for a claim the target's usual one. */
export function unsaidProfile(
  wish: Wish,
  targets: readonly TargetEntry[],
  kept?: string,
): string | undefined {
  const profiles = profilesOf(wish, targets);
  if (kept !== undefined) return kept;
  return profiles.includes(DEFAULT_PROFILE) ? DEFAULT_PROFILE : profiles[0];
}

/** Whether the kept profile is none of the target's, and no other was chosen. */
export function lacksProfile(wish: Wish, targets: readonly TargetEntry[], kept?: string): boolean {
  const profiles = profilesOf(wish, targets);
  return wish.profile === null && kept !== undefined && profiles.length > 0 && !profiles.includes(kept);
}

/** Where there is only one target, it is meant. */
export function presumed(wish: Wish, targets: readonly TargetEntry[]): Wish {
  const [only] = targets;
  return wish.target === null && only && targets.length === 1 ? { ...wish, target: keyOf(only) } : wish;
}
