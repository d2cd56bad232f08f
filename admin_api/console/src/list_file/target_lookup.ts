/** Finds the target that a cell names, by `account/Region` or name, as `admin_api/cli/api/target_lookup.py` does. */
import { shown } from "../label/label";
import { keyOf, type TargetEntry } from "../parts/target_names";
import { ListError } from "./list_error";

/** Throws `ListError` TARGET_MISSING, AMBIGUOUS_TARGET, INVALID_ACCOUNT, INVALID_REGION or UNKNOWN_TARGET. */
export function findTarget(text: string, targets: readonly TargetEntry[]): TargetEntry {
  const name = text.trim();
  const [only] = targets;
  if (name === "") {
    if (only && targets.length === 1) return only;
    throw new ListError("TARGET_MISSING", "got no target, want one in the row or for the list");
  }
  const [match, ...others] = matching(name, targets);
  if (match && others.length === 0) return match;
  if (match)
    throw new ListError(
      "AMBIGUOUS_TARGET",
      `got ${shown(text)}, the name of ${others.length + 1} targets; want account/Region`,
    );
  if (name.includes("/")) checkKey(name);
  throw new ListError("UNKNOWN_TARGET", `got ${shown(text)}, want a target that you may claim for`);
}

/** Throws `ListError` INVALID_PROFILE or UNKNOWN_PROFILE. */
export function requireProfile(target: TargetEntry, profile: string): void {
  if (!/^[a-z0-9][a-z0-9-]{0,31}$/.test(profile))
    throw new ListError("INVALID_PROFILE", `got ${shown(profile)}, want the name of a profile`);
  if (!target.profiles.includes(profile))
    throw new ListError(
      "UNKNOWN_PROFILE",
      `got ${shown(profile)} for ${keyOf(target)}, want one of: ${target.profiles.join(", ")}`,
    );
}

/** By key, else by exact name, else by name in any case. */
function matching(name: string, targets: readonly TargetEntry[]): readonly TargetEntry[] {
  const lower = name.toLowerCase();
  const byKey = targets.filter((each) => keyOf(each) === name);
  if (byKey.length > 0) return byKey;
  const byName = targets.filter((each) => each.name === name);
  return byName.length > 0 ? byName : targets.filter((each) => each.name.toLowerCase() === lower);
}

function checkKey(key: string): void {
  const [account = "", region = ""] = key.split("/");
  if (!/^\d{12}$/.test(account))
    throw new ListError("INVALID_ACCOUNT", `got ${shown(account)}, want 12 digits`);
  if (!/^[a-z]{2}(-[a-z]+)+-\d+$/.test(region))
    throw new ListError("INVALID_REGION", `got ${shown(region)}, want a Region such as eu-west-1`);
}
