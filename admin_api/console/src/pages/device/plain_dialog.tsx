/** Releases, retries or revokes a device, after saying what that means in its present state. */
import { Textarea } from "@mantine/core";
import { useState } from "react";
import { useMutation } from "urql";
import { type Failure, failureOf } from "../../api/failures";
import { Confirm } from "../../parts/confirm";
import { labelOf } from "./actions";
import { consequenceOf } from "./consequences";
import { RELEASE, RETRY, REVOKE } from "./mutations";
import { type DialogProps, placeOf, type Subject } from "./subject";

export type PlainAction = "release" | "retry" | "revoke";

/** As the API has it: printable, on one line. */
export const MAX_WHY = 200;

interface Props extends DialogProps {
  action: PlainAction;
}

export function PlainDialog({ action, subject, known, opened, onDone, onClose }: Props) {
  const carryOut = useActions();
  const [why, setWhy] = useState("");
  const words = consequenceOf(action, subject.state, placeOf(subject.target, known));
  const reason = why.trim();
  const ready = action !== "revoke" || (reason.length > 0 && reason.length <= MAX_WHY);

  const close = () => {
    setWhy("");
    onClose();
  };
  const confirm = async () => {
    const done = await carryOut[action](subject, reason);
    if (typeof done !== "string") return done;
    onDone(done);
    return undefined;
  };

  return (
    <Confirm
      opened={opened}
      title={`${labelOf(action)} ${subject.name}`}
      consequence={words ?? "It has changed meanwhile: this is no longer possible."}
      action={labelOf(action)}
      dangerous={action === "revoke"}
      disabled={!ready || words === undefined}
      onConfirm={confirm}
      onClose={close}
    >
      {action === "revoke" && (
        <Textarea
          label="Why"
          description="Kept in its history for good"
          required
          autosize
          minRows={2}
          size="md"
          maxLength={MAX_WHY}
          value={why}
          onChange={(event) => setWhy(event.currentTarget.value.replace(/[\r\n\t]+/g, " "))}
        />
      )}
    </Confirm>
  );
}

type CarryOut = (subject: Subject, why: string) => Promise<Failure | string>;

/** Each does it, and gives the failure, or what to tell the person. */
function useActions(): Record<PlainAction, CarryOut> {
  const [, release] = useMutation(RELEASE);
  const [, retry] = useMutation(RETRY);
  const [, revoke] = useMutation(REVOKE);
  return {
    release: async ({ certid }) => {
      const { data, error } = await release({ certid });
      if (error) return failureOf(error);
      return data?.releaseDevice?.forgotten
        ? "Forgotten: it was never seen, and is no longer expected."
        : "Released: it goes back to the lobby.";
    },
    retry: async ({ certid }) => {
      const { error } = await retry({ certid });
      return error ? failureOf(error) : "It is being tried again.";
    },
    revoke: async ({ certid }, why) => {
      const { error } = await revoke({ certid, why });
      return error ? failureOf(error) : "Revoked, for good.";
    },
  };
}
