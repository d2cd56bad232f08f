/** Camera failures and their messages. */
import { expect, test, vi } from "vitest";
import { CAMERA_MESSAGES, CameraError, faultOf, openCamera } from "../../../src/pages/claim/scanner/camera";

test.each([
  ["NotAllowedError", "denied"],
  ["NotFoundError", "none"],
  ["OverconstrainedError", "none"],
  ["NotReadableError", "taken"],
  ["AbortError", "taken"],
  ["SecurityError", "insecure"],
  ["TypeError", "failed"],
])("%s is %s", (name, fault) => expect(faultOf(new DOMException("no", name))).toBe(fault));

test("reads an OverconstrainedError that is no DOMException, as in WebKit", () => {
  class OverconstrainedError extends Error {
    override name = "OverconstrainedError";
  }
  expect(faultOf(new OverconstrainedError())).toBe("none");
});

test("treats other errors as a camera that does not start", () => expect(faultOf("odd")).toBe("failed"));

test("reports an insecure page, which has no camera API", async () => {
  await expect(openCamera(undefined)).rejects.toMatchObject({ fault: "insecure" });
});

test("requests the rear camera without sound", async () => {
  const getUserMedia = vi.fn(async (_: MediaStreamConstraints) => ({}) as MediaStream);
  await openCamera({ getUserMedia } as unknown as MediaDevices);
  expect(getUserMedia.mock.calls[0]?.[0]).toMatchObject({
    audio: false,
    video: { facingMode: { ideal: "environment" } },
  });
});

test("keeps the cause of an error, and has a message for every failure", async () => {
  const cause = new DOMException("Permission denied", "NotAllowedError");
  const media = { getUserMedia: () => Promise.reject(cause) } as unknown as MediaDevices;
  const error: unknown = await openCamera(media).catch((error: unknown) => error);
  expect(error).toBeInstanceOf(CameraError);
  expect((error as CameraError).cause).toBe(cause);
  for (const { title, advice } of Object.values(CAMERA_MESSAGES)) expect(title && advice).toBeTruthy();
});
