/** States by how much this device's clock is wrong. Pure. */
import { roughDuration } from "../parts/durations";

/** `skewMs`: the lobby's time minus this device's. */
export function clockText(skewMs: number): string {
  const rounded = Math.abs(skewMs) + 30_000; // to the nearest minute
  return `This device's clock is ${roughDuration(rounded)} ${skewMs < 0 ? "ahead" : "behind"}.`;
}
