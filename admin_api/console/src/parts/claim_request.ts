/**
 * The form content for a claim or move, and its conversion to API variables. Applies the API's rules
 * (`lobby/domain/transitions.py`) while typing, so that a mistake does not cause a thousand rejections.
 */
import { formatNumber } from "./numbers";
import { keyOf, type TargetEntry } from "./targets";

/** `unset`: a claim uses the default config, a move keeps the current one. */
export type ConfigKind = "unset" | "text" | "json";

export interface ClaimRequest {
  target: string | null;
  /** Null: not chosen. */
  profile: string | null;
  kind: ConfigKind;
  text: string;
  json: string;
}

export const EMPTY_REQUEST: ClaimRequest = { target: null, profile: null, kind: "unset", text: "", json: "" };

export const MAX_CONFIG_BYTES = 8 * 1024;
export const MAX_CONFIG_DEPTH = 32;
const FACTORY_RESET = "factory reset";
const DEFAULT_PROFILE = "default";

/** The variables of `claimDevice`, `claimDevices` and `moveDevice`. */
export interface ClaimVariables {
  target: { account: string; region: string };
  profile?: string;
  config?: unknown;
}

/** Why the config cannot be sent; undefined if it can. */
export function configError(request: ClaimRequest): string | undefined {
  if (request.kind === "unset") return undefined;
  if (request.kind === "text") return request.text === "" ? "Enter text." : configValueError(request.text);
  if (request.json.trim() === "") return 'Enter a JSON object, such as {"interval": 60}.';
  let value: unknown;
  try {
    value = JSON.parse(request.json);
  } catch (error) {
    return `Invalid JSON: ${error instanceof Error ? error.message : String(error)}`;
  }
  if (typeof value !== "object" || value === null || Array.isArray(value))
    return `Enter an object in { }, not ${Array.isArray(value) ? "a list" : JSON.stringify(value)}.`;
  return configValueError(value);
}

function configValueError(value: unknown): string | undefined {
  if (value === FACTORY_RESET)
    return `"${FACTORY_RESET}" is not allowed: the device would return to the lobby.`;
  if (isDeeper(value, MAX_CONFIG_DEPTH)) return `Nested deeper than ${MAX_CONFIG_DEPTH} levels.`;
  const bytes = new TextEncoder().encode(JSON.stringify(value)).length;
  return bytes > MAX_CONFIG_BYTES
    ? `Too large: ${formatNumber(bytes)} bytes, ${formatNumber(MAX_CONFIG_BYTES)} at most.`
    : undefined;
}

/** Whether objects and lists are nested more than `levels` deep. Not recursive. */
function isDeeper(value: unknown, levels: number): boolean {
  let layer: unknown[] = [value];
  for (let level = 0; level <= levels; level++)
    layer = layer.flatMap((one) => (typeof one === "object" && one !== null ? Object.values(one) : []));
  return layer.length > 0;
}

/** The variables to send; undefined while something is missing or invalid. */
export function variablesOf(request: ClaimRequest): ClaimVariables | undefined {
  const [account, region] = request.target?.split("/") ?? [];
  if (!account || !region || configError(request) !== undefined) return undefined;
  return {
    target: { account, region },
    ...(request.profile === null ? {} : { profile: request.profile }),
    ...(request.kind === "unset" ? {} : { config: configOf(request) }),
  };
}

/** The config of a request without an error that has one. */
export function configOf(request: ClaimRequest): unknown {
  return request.kind === "json" ? (JSON.parse(request.json) as unknown) : request.text;
}

/** The profiles of the chosen target. */
export function profilesOf(request: ClaimRequest, targets: readonly TargetEntry[]): readonly string[] {
  return targets.find((each) => keyOf(each) === request.target)?.profiles ?? [];
}

/** The request for another target; clears a profile that it lacks. */
export function withTarget(
  request: ClaimRequest,
  target: string | null,
  targets: readonly TargetEntry[],
): ClaimRequest {
  const moved = { ...request, target };
  const stays = request.profile !== null && profilesOf(moved, targets).includes(request.profile);
  return { ...moved, profile: stays ? request.profile : null };
}

/** The profile that applies if none is chosen: the current one, or for a claim the target's default. */
export function effectiveProfile(
  request: ClaimRequest,
  targets: readonly TargetEntry[],
  current?: string,
): string | undefined {
  const profiles = profilesOf(request, targets);
  if (current !== undefined) return current;
  return profiles.includes(DEFAULT_PROFILE) ? DEFAULT_PROFILE : profiles[0];
}

/** Whether the target lacks the current profile and no other is chosen. */
export function lacksProfile(
  request: ClaimRequest,
  targets: readonly TargetEntry[],
  current?: string,
): boolean {
  const profiles = profilesOf(request, targets);
  return (
    request.profile === null && current !== undefined && profiles.length > 0 && !profiles.includes(current)
  );
}

/** Select the only target. */
export function withOnlyTarget(request: ClaimRequest, targets: readonly TargetEntry[]): ClaimRequest {
  const [only] = targets;
  return request.target === null && only && targets.length === 1
    ? { ...request, target: keyOf(only) }
    : request;
}
