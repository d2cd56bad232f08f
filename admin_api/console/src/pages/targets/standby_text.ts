/** The standby of a target in one sentence. */
import { pluralize } from "../../parts/numbers";
import { keyOf } from "../../parts/targets";
import type { Listed } from "./operations";

/** "222222222222/us-east-1: prepared 3 of 4 devices, certificates active". */
export function standbyText(standby: NonNullable<Listed["standby"]>): string {
  const place = keyOf(standby.target);
  if (standby.evacuatedAt)
    return `${place}: ${pluralize(standby.away, "device")} there, ${standby.left} left`;
  const prepared = `prepared ${standby.prepared} of ${pluralize(standby.placed, "device")}`;
  return [
    `${place}: ${prepared}, certificates ${standby.certificates}`,
    ...(standby.away > 0 ? [`${standby.away} return`] : []),
    ...(standby.askedBy ? [`${standby.askedBy.replace(/^user:/, "")} requests an evacuation`] : []),
  ].join("; ");
}
