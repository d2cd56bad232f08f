/** Claims or moves a device after explaining the effect in its current state. */
import { Text } from "@mantine/core";
import { useState } from "react";
import { useMutation } from "urql";
import { failureOf } from "../../api/failures";
import {
  type ClaimRequest,
  EMPTY_REQUEST,
  lacksProfile,
  variablesOf,
  withOnlyTarget,
} from "../../parts/claim_request";
import { ConfirmDialog } from "../../parts/confirm_dialog";
import { NoTargets } from "../../parts/loaded_targets";
import { RouteForm } from "../../parts/route_form";
import { type ShadowChoice, ShadowPicker, shadowVariables } from "../../parts/shadow_choice";
import { labelOf } from "./actions";
import { Consequence } from "./consequence";
import { consequenceOf } from "./consequences";
import { CLAIM, MOVE } from "./mutations";
import { type DialogProps, placeOf } from "./subject";

interface Props extends DialogProps {
  action: "claim" | "move";
}

export function RouteDialog({ action, subject, known = [], opened, onDone, onClose }: Props) {
  const [, claim] = useMutation(CLAIM);
  const [, move] = useMutation(MOVE);
  const [draft, setRequest] = useState<ClaimRequest>(EMPTY_REQUEST);
  const [shadows, setShadows] = useState<ShadowChoice>("LEAVE");
  const request = withOnlyTarget(draft, known);
  const [wasOpened, setWasOpened] = useState(opened);
  if (opened !== wasOpened) {
    setWasOpened(opened);
    if (opened) {
      setRequest({ ...EMPTY_REQUEST, target: action === "move" ? subject.target : null });
      setShadows("LEAVE");
    }
  }

  const current = action === "move" ? subject.profile : undefined;
  const same = action === "move" && isSame(request, subject.target);
  const variables = same || lacksProfile(request, known, current) ? undefined : variablesOf(request);
  const text = consequenceOf(action, subject.state, placeOf(subject.target, known));

  const elsewhere = action === "move" && request.target !== null && request.target !== subject.target;

  const confirm = async () => {
    if (!variables) return undefined;
    const chosen = { certid: subject.certid, ...variables };
    const { error } = await (action === "claim"
      ? claim(chosen)
      : move({ ...chosen, ...(elsewhere ? shadowVariables(shadows) : {}) }));
    if (error) return failureOf(error);
    onDone(`${action === "claim" ? "Claimed for" : "Moving to"} ${placeOf(request.target, known)}.`);
    return undefined;
  };

  return (
    <ConfirmDialog
      opened={opened}
      title={`${labelOf(action)} device`}
      consequence={<Consequence name={subject.name} text={text} />}
      action={labelOf(action)}
      disabled={!variables || text === undefined}
      onConfirm={confirm}
      onClose={onClose}
    >
      {known.length === 0 ? (
        <NoTargets />
      ) : (
        <RouteForm
          targets={known}
          request={request}
          onChange={setRequest}
          {...(current === undefined ? {} : { current })}
        />
      )}
      {elsewhere && <ShadowPicker value={shadows} onChange={setShadows} />}
      {same && (
        <Text size="sm" c="dimmed">
          Nothing has changed. Choose another target, profile or config.
        </Text>
      )}
    </ConfirmDialog>
  );
}

/** Whether the form would change nothing. */
function isSame(request: ClaimRequest, target: string | null): boolean {
  return request.target === target && request.profile === null && request.kind === "unset";
}
