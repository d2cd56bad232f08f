/**
 * What the claim page is doing: waiting for a tap, looking through the camera, reading a photo, taking a typed code, or
 * asking whether what it found shall be claimed. Pure: a state and an event give the next state; what has to be done
 * about it (camera, queue) is the page's.
 */
import type { CameraFault } from "./scanner/camera";
import type { Sight } from "./scanner/sight";

export type Way = "camera" | "photo" | "typing";

/** One line about what was just seen or done. */
export type Said =
  | { is: "stranger"; text: string }
  | { is: "again"; certid: string }
  | { is: "claimed"; certids: readonly string[] }
  | { is: "nothing found" }
  | { is: "failed"; words: string };

export type Flow =
  | { at: "idle"; fault: CameraFault | null; said: Said | null }
  | { at: "camera"; said: Said | null }
  | { at: "photo" }
  | { at: "typing" }
  | { at: "found"; labels: readonly string[]; way: Way };

export type FlowEvent =
  | { is: "scan" }
  | { is: "type" }
  | { is: "photo" }
  | { is: "stop" }
  | { is: "camera failed"; fault: CameraFault }
  | { is: "seen"; sight: Sight; way: Way; inSeries: boolean; known: (certid: string) => boolean }
  | { is: "trouble"; words: string }
  | { is: "claimed"; certids: readonly string[] }
  | { is: "cancelled" };

export const IDLE: Flow = { at: "idle", fault: null, said: null };

export function next(flow: Flow, event: FlowEvent): Flow {
  switch (event.is) {
    case "scan":
      return { at: "camera", said: null };
    case "type":
      return { at: "typing" };
    case "photo":
      return { at: "photo" };
    case "stop":
      return IDLE;
    case "camera failed":
      // A camera that was stopped meanwhile has nothing to say any more.
      return flow.at === "camera" ? { at: "idle", fault: event.fault, said: null } : flow;
    case "trouble":
      return { at: "idle", fault: null, said: { is: "failed", words: event.words } };
    case "seen":
      return seen(flow, event);
    case "claimed":
      return flow.at === "camera"
        ? { at: "camera", said: { is: "claimed", certids: event.certids } }
        : { at: "idle", fault: null, said: { is: "claimed", certids: event.certids } };
    case "cancelled":
      return flow.at === "found" && flow.way === "camera" ? { at: "camera", said: null } : IDLE;
  }
}

/** In a series a fresh label is claimed by the page, which says so with `claimed`; here the camera just stays on. */
function seen(flow: Flow, event: FlowEvent & { is: "seen" }): Flow {
  const { sight, way, inSeries, known } = event;
  const expected: Record<Way, Flow["at"]> = { camera: "camera", photo: "photo", typing: "typing" };
  if (flow.at !== expected[way]) return flow;
  const [first] = sight.labels;
  if (first !== undefined && way === "camera") {
    if (!inSeries) return { at: "found", labels: [first], way };
    return known(first) ? { at: "camera", said: { is: "again", certid: first } } : flow;
  }
  if (first !== undefined) return { at: "found", labels: sight.labels, way };
  const said: Said =
    sight.stranger === null ? { is: "nothing found" } : { is: "stranger", text: sight.stranger };
  return way === "camera" ? { at: "camera", said } : { at: "idle", fault: null, said };
}
