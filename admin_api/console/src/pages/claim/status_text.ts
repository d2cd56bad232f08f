/** One sentence about a claim's status: what happens now and what the user must do. Pure. */

import { keyOf, type TargetName } from "../../parts/target_names";
import { duration } from "../../parts/time";
import { actorName } from "./advice";
import type { ClaimProgress } from "./claim_progress";

interface StatusDevice {
  devstate: string | null;
  targetaccount: string | null;
  targetregion: string | null;
  reason?: string | null;
  showsCode?: boolean | null;
  history: readonly { actor: string; event: string }[] | null;
}

export function statusText(progress: ClaimProgress, device: StatusDevice | null, target: TargetName): string {
  switch (progress.status) {
    case "unseen":
      return "Not seen yet. Power it on; the rest is automatic.";
    case "proving":
      return device?.showsCode
        ? "The device shows an eight-digit code. Enter it here to prove you are at the device."
        : "Its target requires a presence code.";
    case "no code":
      return "Its target requires a presence code, which this device can't show.";
    case "in progress":
      return device?.devstate === "commissioned"
        ? "Set up in its target. Waiting for it to connect there."
        : "Being set up in its target.";
    case "arrived":
      return progress.totalMs === null ? "Arrived." : `Arrived in ${duration(progress.totalMs)}.`;
    case "failed":
      return "Could not be set up in its target.";
    case "refused":
      return "It connected, but its certificate was refused.";
    case "revoked":
      return "Its certificate is revoked.";
    case "quarantined":
      return "It is in quarantine: its certificate may have been copied.";
    case "released":
      if (device?.reason === "PRESENCE_FAILED") return "The claim ended after five wrong codes.";
      return `The claim was released${by(device, "release")}.`;
    case "other target": {
      const there = device?.targetaccount && device.targetregion;
      const other = there
        ? keyOf({ account: device.targetaccount ?? "", region: device.targetregion ?? "" })
        : "another target";
      return `It was sent to ${other}${by(device, "move")}, not to ${keyOf(target)}.`;
    }
  }
}

function by(device: StatusDevice | null, event: string): string {
  const entry = device?.history?.findLast((each) => each.event === event);
  return entry ? ` by ${actorName(entry.actor)}` : "";
}
