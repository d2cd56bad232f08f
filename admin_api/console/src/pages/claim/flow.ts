/**
 * The state machine of the claim page: idle, camera, reading a photo, typing, or confirming what was found.
 * Pure: a state and an event give the next state. The page performs the effects (camera, queue).
 */
import type { CameraFault } from "./scanner/camera";
import type { ScanResult } from "./scanner/scan_result";

export type InputMethod = "camera" | "photo" | "typing" | "link";

/** One line about the last scan or action. */
export type Message =
  | { is: "otherCode"; text: string; serial?: string }
  | { is: "already claimed"; certid: string }
  | { is: "claimed"; certids: readonly string[] }
  | { is: "no code" }
  | { is: "failed"; text: string };

export type Flow =
  | { at: "idle"; fault: CameraFault | null; message: Message | null }
  | { at: "camera"; message: Message | null }
  | { at: "photo" }
  | { at: "typing" }
  | { at: "found"; labels: readonly string[]; method: InputMethod };

export type FlowEvent =
  | { is: "scan" }
  | { is: "type" }
  | { is: "photo" }
  | { is: "stop" }
  | { is: "camera failed"; fault: CameraFault }
  | {
      is: "scanned";
      scan: ScanResult;
      method: InputMethod;
      inSeries: boolean;
      known: (certid: string) => boolean;
    }
  | { is: "opened"; label: string }
  | { is: "error"; text: string }
  | { is: "claimed"; certids: readonly string[] }
  | { is: "cancelled" };

export const IDLE: Flow = { at: "idle", fault: null, message: null };

export function next(flow: Flow, event: FlowEvent): Flow {
  switch (event.is) {
    case "scan":
      return { at: "camera", message: null };
    case "type":
      return { at: "typing" };
    case "photo":
      return { at: "photo" };
    case "stop":
      return IDLE;
    case "camera failed":
      // Ignore a failure of a camera that has been stopped.
      return flow.at === "camera" ? { at: "idle", fault: event.fault, message: null } : flow;
    case "opened":
      return { at: "found", labels: [event.label], method: "link" };
    case "error":
      return { at: "idle", fault: null, message: { is: "failed", text: event.text } };
    case "scanned":
      return scanned(flow, event);
    case "claimed":
      return flow.at === "camera"
        ? { at: "camera", message: { is: "claimed", certids: event.certids } }
        : { at: "idle", fault: null, message: { is: "claimed", certids: event.certids } };
    case "cancelled":
      return flow.at === "found" && flow.method === "camera" ? { at: "camera", message: null } : IDLE;
  }
}

/** In a series the page claims a new label and dispatches `claimed`; the camera stays on. */
function scanned(flow: Flow, event: FlowEvent & { is: "scanned" }): Flow {
  const { scan, method, inSeries, known } = event;
  const expected: Record<InputMethod, Flow["at"]> = {
    camera: "camera",
    photo: "photo",
    typing: "typing",
    link: "idle",
  };
  if (flow.at !== expected[method]) return flow;
  const [first] = scan.labels;
  if (first !== undefined && method === "camera") {
    if (!inSeries) return { at: "found", labels: [first], method };
    return known(first) ? { at: "camera", message: { is: "already claimed", certid: first } } : flow;
  }
  if (first !== undefined) return { at: "found", labels: scan.labels, method };
  const { otherCode, serial } = scan;
  const message: Message =
    otherCode === null
      ? { is: "no code" }
      : { is: "otherCode", text: otherCode, ...(serial === undefined ? {} : { serial }) };
  return method === "camera" ? { at: "camera", message } : { at: "idle", fault: null, message };
}
