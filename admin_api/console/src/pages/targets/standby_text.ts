/** The standby of a target in one sentence. */
import { pluralize } from "../../parts/numbers";
import { keyOf } from "../../parts/targets";
import type { Listed } from "./operations";

type Standby = NonNullable<Listed["standby"]>;

/** Whether the target's last work is a drill: its devices stay in the standby until somebody returns them. */
function isDrilled({ campaign }: Standby): boolean {
  return campaign?.startsWith("drill-") ?? false;
}

/** Whether devices are in the standby, or go there, and can be returned. */
export function canReturn(standby: Standby): boolean {
  return standby.evacuatedAt !== null || standby.away > 0 || isDrilled(standby);
}

/** "222222222222/us-east-1: prepared 3 of 4 devices, certificates active". */
export function standbyText(standby: Standby): string {
  const place = keyOf(standby.target);
  if (standby.evacuatedAt)
    return `${place}: ${pluralize(standby.away, "device")} there, ${standby.left} left`;
  const prepared = `prepared ${standby.prepared} of ${pluralize(standby.placed, "device")}`;
  return [
    `${place}: ${prepared}, certificates ${standby.certificates}`,
    ...(standby.away > 0 ? [`${standby.away} ${isDrilled(standby) ? "there for a drill" : "return"}`] : []),
    ...(standby.askedBy ? [`${standby.askedBy.replace(/^user:/, "")} requests an evacuation`] : []),
  ].join("; ");
}
