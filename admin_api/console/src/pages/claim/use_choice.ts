/**
 * The target and profile for claims, chosen from those the user may claim for. Remembered for the next visit
 * and available offline.
 */
import type { CombinedError } from "@urql/core";
import { useEffect, useState } from "react";
import { keyOf, type TargetEntry, useTargets } from "../../parts/target_names";
import { useSession } from "../../sign_in/gate";
import { useMe } from "../../sign_in/me";
import { readStoredChoice, storeChoice } from "./stored_choice";

export interface Choice {
  /** The user who makes the claims; null if nobody has signed in on this phone yet. */
  user: string | null;
  /** Undefined: not loaded yet. */
  targets: readonly TargetEntry[] | undefined;
  target: TargetEntry | undefined;
  /** Null: the target's default profile. */
  profile: string | null;
  pickTarget: (key: string | null) => void;
  pickProfile: (profile: string | null) => void;
  error: CombinedError | undefined;
  again: () => void;
}

const USUAL = "default";

export function useChoice(): Choice {
  const session = useSession();
  const me = useMe();
  const [stored] = useState(readStoredChoice);
  const user = session ? me.name : (stored?.person ?? null);
  const mine = stored && stored.person === user ? stored : null;
  const { targets: fresh, error, again } = useTargets();
  const targets = fresh ?? mine?.targets;
  const [picked, setPicked] = useState<string | null>(mine?.picked ?? null);
  const [profile, setProfile] = useState<string | null>(null);
  const target = targets?.length === 1 ? targets[0] : targets?.find((each) => keyOf(each) === picked);

  useEffect(() => {
    if (session && user !== null && fresh) storeChoice({ person: user, targets: fresh, picked });
  }, [session, user, fresh, picked]);

  return {
    user,
    targets,
    target,
    profile: profile !== null && target?.profiles.includes(profile) ? profile : null,
    pickTarget: (key) => {
      setPicked(key);
      setProfile(null);
    },
    pickProfile: setProfile,
    error: targets ? undefined : error,
    again: () => again({ requestPolicy: "network-only" }),
  };
}

/** The profile of a claim without one (`admin_api/operations/claims.py`). */
export function usualProfile(target: TargetEntry): string | undefined {
  return target.profiles.includes(USUAL) ? USUAL : target.profiles[0];
}
