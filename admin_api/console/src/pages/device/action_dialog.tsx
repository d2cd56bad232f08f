/** Releases, retries, renews, quarantines or revokes a device, or withdraws its offer, after explaining the effect. */
import { Textarea } from "@mantine/core";
import { useState } from "react";
import { useMutation } from "urql";
import { type Failure, failureOf } from "../../api/failures";
import { ConfirmDialog } from "../../parts/confirm_dialog";
import { isFinal, labelOf } from "./actions";
import { Consequence } from "./consequence";
import { consequenceOf } from "./consequences";
import { DISMISS, LIFT, QUARANTINE, RELEASE, RENEW, RETRY, REVOKE, WITHDRAW } from "./mutations";
import { type DialogProps, placeOf, type Subject } from "./subject";

export type ConfirmedAction =
  | "release"
  | "retry"
  | "renew"
  | "dismiss"
  | "quarantine"
  | "lift"
  | "withdraw"
  | "revoke";

/** Actions that require a reason: the label and the description of its field. */
const REASON: Partial<Record<ConfirmedAction, string>> = {
  dismiss: "Why you are sure that there is only one device. Kept permanently in its history",
  quarantine: "Kept permanently in its history",
  lift: "Why you are sure that there is only one device. Kept permanently in its history",
  revoke: "Kept permanently in its history",
};

/** The API's limit: printable, on one line. */
export const MAX_WHY = 200;

interface Props extends DialogProps {
  action: ConfirmedAction;
}

export function ActionDialog({ action, subject, known, opened, onDone, onClose }: Props) {
  const carryOut = useActions();
  const [why, setWhy] = useState("");
  const text = consequenceOf(action, subject.state, placeOf(subject.target, known));
  const reason = why.trim();
  const description = REASON[action];
  const ready = description === undefined || (reason.length > 0 && reason.length <= MAX_WHY);

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
    <ConfirmDialog
      opened={opened}
      title={TITLES[action] ?? `${labelOf(action)} device`}
      consequence={<Consequence name={subject.name} text={text} />}
      action={labelOf(action)}
      dangerous={isFinal(action)}
      disabled={!ready || text === undefined}
      onConfirm={confirm}
      onClose={close}
    >
      {description !== undefined && (
        <Textarea
          label="Reason"
          description={description}
          required
          autosize
          minRows={2}
          size="md"
          maxLength={MAX_WHY}
          value={why}
          onChange={(event) => setWhy(event.currentTarget.value.replace(/[\r\n\t]+/g, " "))}
        />
      )}
    </ConfirmDialog>
  );
}

const TITLES: Partial<Record<ConfirmedAction, string>> = {
  dismiss: "Dismiss suspicion",
  lift: "Lift quarantine",
  withdraw: "Withdraw offer",
};

type CarryOut = (subject: Subject, why: string) => Promise<Failure | string>;

/** Runs the action and returns a failure, or the message to show. */
function useActions(): Record<ConfirmedAction, CarryOut> {
  const [, release] = useMutation(RELEASE);
  const [, retry] = useMutation(RETRY);
  const [, renew] = useMutation(RENEW);
  const [, dismiss] = useMutation(DISMISS);
  const [, quarantine] = useMutation(QUARANTINE);
  const [, lift] = useMutation(LIFT);
  const [, withdraw] = useMutation(WITHDRAW);
  const [, revoke] = useMutation(REVOKE);
  return {
    release: async ({ certid }) => {
      const { data, error } = await release({ certid });
      if (error) return failureOf(error);
      return data?.releaseDevice?.forgotten
        ? "Released and removed, because it never connected."
        : "Released. It returns to the lobby.";
    },
    retry: async ({ certid }) => {
      const { error } = await retry({ certid });
      return error ? failureOf(error) : "Retrying.";
    },
    renew: async ({ certid }) => {
      const { error } = await renew({ certid });
      return error ? failureOf(error) : "Asked to renew its certificate.";
    },
    dismiss: async ({ certid }, why) => {
      const { error } = await dismiss({ certid, why });
      return error ? failureOf(error) : "Not suspected any more.";
    },
    quarantine: async ({ certid }, why) => {
      const { error } = await quarantine({ certid, why });
      return error ? failureOf(error) : "In quarantine. Its certificate is deactivated.";
    },
    lift: async ({ certid }, why) => {
      const { error } = await lift({ certid, why });
      return error ? failureOf(error) : "Quarantine lifted. Its certificate is activated again.";
    },
    withdraw: async ({ certid, offer }) => {
      const { data, error } = await withdraw(
        { certid, offer: offer ?? "" },
        { additionalTypenames: ["Device"] },
      );
      if (error) return failureOf(error);
      const refusal = data?.withdrawTransfers?.results.find((each) => !each.ok);
      return refusal
        ? { code: refusal.code ?? "", message: refusal.message ?? "" }
        : "The offer is withdrawn.";
    },
    revoke: async ({ certid }, why) => {
      const { error } = await revoke({ certid, why });
      return error ? failureOf(error) : "Revoked permanently.";
    },
  };
}
