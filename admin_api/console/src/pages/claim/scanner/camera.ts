/**
 * The phone's camera, and why there is none: each fault has words that say what to do, since the other two ways, photo
 * and typing, are always there.
 */

export type CameraFault = "denied" | "none" | "taken" | "insecure" | "failed";

export const CAMERA_WORDS: Record<CameraFault, { title: string; advice: string }> = {
  denied: {
    title: "The camera is not allowed here",
    advice: "Allow it for this page in the browser's settings (beside the address), then scan again.",
  },
  none: { title: "No camera was found", advice: "This device has none, or it is switched off." },
  taken: {
    title: "The camera is in use",
    advice: "Another app or tab has it, or it was taken away. Close that one, then scan again.",
  },
  insecure: {
    title: "No camera without https",
    advice: "Browsers give the camera to secure pages only. Open this page by its https address.",
  },
  failed: { title: "The camera does not start", advice: "Scan again; if it stays so, restart the browser." },
};

export class CameraTrouble extends Error {
  constructor(
    readonly fault: CameraFault,
    cause: unknown,
  ) {
    super(`${CAMERA_WORDS[fault].title}: ${cause instanceof Error ? cause.message : String(cause)}`, {
      cause,
    });
  }
}

/** Opens the camera that looks away from the person, where there are two. Throws `CameraTrouble`. */
export async function openCamera(media: MediaDevices | undefined): Promise<MediaStream> {
  if (!media?.getUserMedia) throw new CameraTrouble("insecure", "no mediaDevices");
  try {
    return await media.getUserMedia({
      audio: false,
      video: { facingMode: { ideal: "environment" }, width: { ideal: 1280 }, height: { ideal: 720 } },
    });
  } catch (error) {
    throw new CameraTrouble(faultOf(error), error);
  }
}

export function closeCamera(stream: MediaStream): void {
  for (const track of stream.getTracks()) track.stop();
}

/** By the names of W3C's Media Capture and Streams, and what browsers give beside them. */
export function faultOf(error: unknown): CameraFault {
  switch (error instanceof DOMException ? error.name : "") {
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

/** What Image Capture adds to a track; TypeScript's own types lack it. */
interface Light extends MediaTrackCapabilities {
  torch?: boolean;
  focusMode?: string[];
}

export function hasTorch(stream: MediaStream): boolean {
  return capabilitiesOf(stream).torch === true;
}

/** Switches the lamp. False where the camera would not. */
export async function setTorch(stream: MediaStream, on: boolean): Promise<boolean> {
  return applied(stream, { torch: on });
}

/** Labels are near: a camera that can keep focusing is asked to. */
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
    return false; // a comfort that this camera does not have after all
  }
}
