/** States by how much this device's clock is wrong. Pure. */
import { roughDuration } from "../parts/durations";

/** `skewMs`: the lobby's time minus this device's. */
export function clockText(skewMs: number): string {
  return `This device's clock is ${roughDuration(Math.abs(skewMs))} ${skewMs < 0 ? "ahead" : "behind"}.`;
}
