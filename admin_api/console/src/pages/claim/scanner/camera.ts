/**
 * The phone's camera and its failures. Each failure has a message that states what to do; photo and typing are
 * always available.
 */

export type CameraFault = "denied" | "none" | "taken" | "insecure" | "failed";

export const CAMERA_MESSAGES: Record<CameraFault, { title: string; advice: string }> = {
  denied: {
    title: "Camera access is blocked",
    advice:
      "Allow the camera for this page in the browser's settings (next to the address), then scan again.",
  },
  none: { title: "No camera found", advice: "This device has no camera, or it is switched off." },
  taken: {
    title: "The camera is in use",
    advice: "Another app or tab uses the camera. Close it, then scan again.",
  },
  insecure: {
    title: "The camera requires https",
    advice: "Browsers allow the camera on secure pages only. Open this page with https.",
  },
  failed: {
    title: "The camera can't start",
    advice: "Scan again. If the problem persists, restart the browser.",
  },
};

export class CameraError extends Error {
  constructor(
    readonly fault: CameraFault,
    cause: unknown,
  ) {
    super(`${CAMERA_MESSAGES[fault].title}: ${cause instanceof Error ? cause.message : String(cause)}`, {
      cause,
    });
  }
}

/** Open the rear camera if there are two. Throws `CameraError`. */
export async function openCamera(media: MediaDevices | undefined): Promise<MediaStream> {
  if (!media?.getUserMedia) throw new CameraError("insecure", "no mediaDevices");
  try {
    return await media.getUserMedia({
      audio: false,
      video: { facingMode: { ideal: "environment" }, width: { ideal: 1280 }, height: { ideal: 720 } },
    });
  } catch (error) {
    throw new CameraError(faultOf(error), error);
  }
}

export function closeCamera(stream: MediaStream): void {
  for (const track of stream.getTracks()) track.stop();
}

/** Maps the error names of W3C Media Capture and Streams, and those that browsers add. */
export function faultOf(error: unknown): CameraFault {
  // Not `instanceof DOMException`, because WebKit's OverconstrainedError is not a DOMException.
  switch (nameOf(error)) {
    case "NotAllowedError":
      return "denied";
    case "SecurityError":
      return "insecure";
    case "NotFoundError":
    case "OverconstrainedError":
      return "none";
    case "NotReadableError":
    case "AbortError":
      return "taken";
    default:
      return "failed";
  }
}

function nameOf(error: unknown): unknown {
  return typeof error === "object" && error !== null && "name" in error ? error.name : undefined;
}

/** Fields of the Image Capture API that are missing in TypeScript's types. */
interface Light extends MediaTrackCapabilities {
  torch?: boolean;
  focusMode?: string[];
}

export function hasTorch(stream: MediaStream): boolean {
  return capabilitiesOf(stream).torch === true;
}

/** Switch the light. Return false if the camera rejects it. */
export async function setTorch(stream: MediaStream, on: boolean): Promise<boolean> {
  return applied(stream, { torch: on });
}

/** Labels are close: request continuous focus if the camera supports it. */
export async function keepFocusing(stream: MediaStream): Promise<void> {
  if (capabilitiesOf(stream).focusMode?.includes("continuous"))
    await applied(stream, { focusMode: "continuous" });
}

function capabilitiesOf(stream: MediaStream): Light {
  // Firefox has no getCapabilities before version 132.
  return (stream.getVideoTracks()[0]?.getCapabilities?.() as Light | undefined) ?? {};
}

async function applied(stream: MediaStream, wanted: object): Promise<boolean> {
  try {
    await stream.getVideoTracks()[0]?.applyConstraints({ advanced: [wanted as MediaTrackConstraintSet] });
    return true;
  } catch {
    return false; // optional: the camera does not support it
  }
}
