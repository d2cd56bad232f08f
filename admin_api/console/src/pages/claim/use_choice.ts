/**
 * The target that claims are for, and the profile there: picked from those that the person may claim for, remembered for
 * the next time, and to be had without a network as they were last.
 */
import type { CombinedError } from "@urql/core";
import { useEffect, useState } from "react";
import { keyOf, type TargetEntry, useTargets } from "../../parts/target_names";
import { useSession } from "../../sign_in/gate";
import { useMe } from "../../sign_in/me";
import { keep, readKept } from "./kept";

export interface Choice {
  /** In whose name claims are made; null where nobody has used this phone yet. */
  person: string | null;
  /** Undefined: not known yet. */
  targets: readonly TargetEntry[] | undefined;
  target: TargetEntry | undefined;
  /** Null: the target's usual one. */
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
  const [kept] = useState(readKept);
  const person = session ? me.name : (kept?.person ?? null);
  const mine = kept && kept.person === person ? kept : null;
  const { targets: fresh, error, again } = useTargets();
  const targets = fresh ?? mine?.targets;
  const [picked, setPicked] = useState<string | null>(mine?.picked ?? null);
  const [profile, setProfile] = useState<string | null>(null);
  const target = targets?.length === 1 ? targets[0] : targets?.find((each) => keyOf(each) === picked);

  useEffect(() => {
    if (session && person !== null && fresh) keep({ person, targets: fresh, picked });
  }, [session, person, fresh, picked]);

  return {
    person,
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

/** What a claim gets that names no profile (`admin_api/claims.py`). */
export function usualProfile(target: TargetEntry): string | undefined {
  return target.profiles.includes(USUAL) ? USUAL : target.profiles[0];
}
