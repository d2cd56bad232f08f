/** Claims a device or moves one: where it shall go, and what that means in its present state. */
import { Text } from "@mantine/core";
import { useState } from "react";
import { useMutation } from "urql";
import { failureOf } from "../../api/failures";
import { Confirm } from "../../parts/confirm";
import { RouteForm } from "../../parts/route_form";
import { lacksProfile, NO_WISH, presumed, variablesOf, type Wish } from "../../parts/wish";
import { NoTargets } from "../waiting/claim_dialog";
import { labelOf } from "./actions";
import { consequenceOf } from "./consequences";
import { CLAIM, MOVE } from "./mutations";
import { type DialogProps, placeOf } from "./subject";

interface Props extends DialogProps {
  action: "claim" | "move";
}

export function RouteDialog({ action, subject, known = [], opened, onDone, onClose }: Props) {
  const [, claim] = useMutation(CLAIM);
  const [, move] = useMutation(MOVE);
  const [typed, setWish] = useState<Wish>(NO_WISH);
  const wish = presumed(typed, known);
  const [wasOpened, setWasOpened] = useState(opened);
  if (opened !== wasOpened) {
    setWasOpened(opened);
    if (opened) setWish({ ...NO_WISH, target: action === "move" ? subject.target : null });
  }

  const kept = action === "move" ? subject.profile : undefined;
  const same = action === "move" && isSame(wish, subject.target);
  const variables = same || lacksProfile(wish, known, kept) ? undefined : variablesOf(wish);
  const words = consequenceOf(action, subject.state, placeOf(subject.target, known));

  const confirm = async () => {
    if (!variables) return undefined;
    const { error } = await (action === "claim" ? claim : move)({ certid: subject.certid, ...variables });
    if (error) return failureOf(error);
    onDone(`${action === "claim" ? "Claimed for" : "On its way to"} ${placeOf(wish.target, known)}.`);
    return undefined;
  };

  return (
    <Confirm
      opened={opened}
      title={`${labelOf(action)} ${subject.name}`}
      consequence={words ?? "It has changed meanwhile: this is no longer possible."}
      action={labelOf(action)}
      disabled={!variables || words === undefined}
      onConfirm={confirm}
      onClose={onClose}
    >
      {known.length === 0 ? (
        <NoTargets />
      ) : (
        <RouteForm targets={known} wish={wish} onChange={setWish} {...(kept === undefined ? {} : { kept })} />
      )}
      {same && (
        <Text size="sm" c="dimmed">
          This is how it is now. Choose another target, another profile or another config.
        </Text>
      )}
    </Confirm>
  );
}

/** Nothing is said that would change anything. */
function isSame(wish: Wish, target: string | null): boolean {
  return wish.target === target && wish.profile === null && wish.kind === "usual";
}
