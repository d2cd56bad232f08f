/** The dialogs of a device's actions, of which at most one is open. Kept in place, so that focus finds its way back. */
import { useState } from "react";
import type { Action } from "./consequences";
import { PlainDialog } from "./plain_dialog";
import { RouteDialog } from "./route_dialog";
import type { DialogProps } from "./subject";

interface Props extends Omit<DialogProps, "opened"> {
  /** The action that was begun; null: none. */
  begun: Action | null;
}

const ROUTES = ["claim", "move"] as const;
const PLAIN = ["release", "retry", "revoke"] as const;

export function DeviceDialogs({ begun, ...dialog }: Props) {
  // While a dialog fades away it still says what it was about.
  const [last, setLast] = useState<Action | null>(begun);
  if (begun !== null && begun !== last) setLast(begun);
  const route = ROUTES.find((action) => action === last);
  const plain = PLAIN.find((action) => action === last);
  return (
    <>
      <RouteDialog {...dialog} action={route ?? "claim"} opened={route !== undefined && route === begun} />
      <PlainDialog {...dialog} action={plain ?? "release"} opened={plain !== undefined && plain === begun} />
    </>
  );
}
