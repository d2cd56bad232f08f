/** One sentence for where a claim stands: what is going on, and whether anybody has to do anything. Pure. */
import { duration } from "../../parts/moments";
import { keyOf, type TargetName } from "../../parts/target_names";
import { personOf } from "./advice";
import type { ClaimLine } from "./claim_line";

interface Known {
  devstate: string | null;
  targetaccount: string | null;
  targetregion: string | null;
  reason?: string | null;
  showsCode?: boolean | null;
  history: readonly { actor: string; event: string }[] | null;
}

export function standingWords(line: ClaimLine, device: Known | null, target: TargetName): string {
  switch (line.standing) {
    case "unseen":
      return "Not seen yet. Power it on; it goes through by itself.";
    case "proving":
      return device?.showsCode
        ? "It shows a code of eight digits. Type it here, so that it is seen that you stand before it."
        : "Its target asks for the code that it shows.";
    case "under way":
      return device?.devstate === "commissioned"
        ? "Set up in its target; it is on its way there."
        : "The lobby is setting it up in its target.";
    case "arrived":
      return line.totalMs === null ? "It has arrived." : `Arrived in ${duration(line.totalMs)}.`;
    case "failed":
      return "It could not be set up in its target.";
    case "not let in":
      return "It came to the door, but its certificate was not let in.";
    case "revoked":
      return "Its certificate was banned for good.";
    case "taken back":
      if (device?.reason === "PRESENCE_FAILED") return "Five wrong codes: the claim was dropped.";
      return `The claim was taken back${by(device, "release")}.`;
    case "elsewhere": {
      const there = device?.targetaccount && device.targetregion;
      const other = there
        ? keyOf({ account: device.targetaccount ?? "", region: device.targetregion ?? "" })
        : "another target";
      return `It was sent to ${other}${by(device, "move")}, not to ${keyOf(target)}.`;
    }
  }
}

function by(device: Known | null, event: string): string {
  const entry = device?.history?.findLast((each) => each.event === event);
  return entry ? ` by ${personOf(entry.actor)}` : "";
}
