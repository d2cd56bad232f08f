/** The draft of a target: its errors, and sending it when there are none. */
import { useState } from "react";
import { useMutation } from "urql";
import { type Failure, failureOf } from "../../api/failures";
import { type Listed, REGISTER_TARGET } from "./operations";
import { type Draft, type Faults, faultsOf, fieldOf } from "./rules";

const EMPTY: Draft = {
  account: "",
  region: "",
  name: "",
  profiles: ["default"],
  presence: false,
  clones: "LOBBY",
};

export function useTargetDraft(
  of: Listed | undefined,
  known: readonly Listed[],
  onDone: (target: Listed, before: Listed | undefined) => void,
) {
  const [draft, setDraft] = useState<Draft>(of ? { ...of, profiles: [...of.profiles] } : EMPTY);
  const [left, setLeft] = useState<ReadonlySet<keyof Draft>>(new Set());
  const [refused, setRefused] = useState<Faults>({});
  const [failure, setFailure] = useState<Failure>();
  const [{ fetching: busy }, register] = useMutation(REGISTER_TARGET);
  const faults = faultsOf(draft, of ? [] : known);

  const change = (part: Partial<Draft>) => {
    setDraft((now) => ({ ...now, ...part }));
    setRefused({});
    setFailure(undefined);
  };
  const leave = (field: keyof Draft) => setLeft((now) => new Set(now).add(field));

  const send = async () => {
    setLeft(new Set(Object.keys(EMPTY) as (keyof Draft)[]));
    if (Object.keys(faults).length > 0) return;
    const { data, error } = await register({ ...draft, name: draft.name.trim() });
    if (data) return onDone({ ...BLANK, ...of, ...data.registerTarget }, of);
    const reported = error ? failureOf(error) : { code: "ERROR", message: "The API returned no target." };
    const field = fieldOf(reported.code);
    if (field && !(of && (field === "account" || field === "region")))
      setRefused({ [field]: reported.message });
    else setFailure(reported);
  };

  return {
    draft,
    change,
    leave,
    shown: { ...shownOf(faults, draft, left), ...refused },
    failure,
    busy,
    send,
  };
}

const BLANK = { createdBy: "", createdAt: "", archivedAt: null, standby: null };

/** A field's error is shown after the user has left the field, or as soon as further typing cannot correct it. */
function shownOf(faults: Faults, draft: Draft, left: ReadonlySet<keyof Draft>): Faults {
  const uncorrectable: Record<keyof Draft, boolean> = {
    account: /[^0-9]|.{13}/.test(draft.account),
    region: /[^a-z0-9-]/.test(draft.region),
    name: draft.name.length > 64,
    profiles: draft.profiles.length > 0,
    presence: false,
    clones: false,
  };
  const fields = Object.keys(faults) as (keyof Draft)[];
  return Object.fromEntries(
    fields.filter((field) => left.has(field) || uncorrectable[field]).map((field) => [field, faults[field]]),
  ) as Faults;
}
