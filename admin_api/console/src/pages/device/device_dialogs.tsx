/**
 * The dialogs of a device's actions; at most one is open. They stay mounted so that the focus returns to the
 * button.
 */
import { useState } from "react";
import { ActionDialog } from "./action_dialog";
import { ConfigDialog } from "./config_dialog";
import type { Action } from "./consequences";
import { RouteDialog } from "./route_dialog";
import type { DialogProps } from "./subject";

interface Props extends Omit<DialogProps, "opened"> {
  /** The action whose dialog is open; null: none. */
  begun: Action | null;
}

const ROUTES = ["claim", "move"] as const;
const PLAIN = ["release", "retry", "renew", "dismiss", "quarantine", "lift", "withdraw", "revoke"] as const;

export function DeviceDialogs({ begun, ...dialog }: Props) {
  // Keeps the content while the dialog closes.
  const [last, setLast] = useState<Action | null>(begun);
  if (begun !== null && begun !== last) setLast(begun);
  const route = ROUTES.find((action) => action === last);
  const plain = PLAIN.find((action) => action === last);
  return (
    <>
      <ConfigDialog {...dialog} opened={last === "configure" && begun === "configure"} />
      <RouteDialog {...dialog} action={route ?? "claim"} opened={route !== undefined && route === begun} />
      <ActionDialog {...dialog} action={plain ?? "release"} opened={plain !== undefined && plain === begun} />
    </>
  );
}
