/** What each way of having no camera is called. */
import { expect, test, vi } from "vitest";
import { CAMERA_WORDS, CameraTrouble, faultOf, openCamera } from "../../../src/pages/claim/scanner/camera";

test.each([
  ["NotAllowedError", "denied"],
  ["NotFoundError", "none"],
  ["OverconstrainedError", "none"],
  ["NotReadableError", "taken"],
  ["AbortError", "taken"],
  ["SecurityError", "insecure"],
  ["TypeError", "failed"],
])("%s is %s", (name, fault) => expect(faultOf(new DOMException("no", name))).toBe(fault));

test("something else is a camera that does not start", () => expect(faultOf("odd")).toBe("failed"));

test("a page that is not secure has no camera to ask for", async () => {
  await expect(openCamera(undefined)).rejects.toMatchObject({ fault: "insecure" });
});

test("the camera that looks away is asked for, without sound", async () => {
  const getUserMedia = vi.fn(async (_: MediaStreamConstraints) => ({}) as MediaStream);
  await openCamera({ getUserMedia } as unknown as MediaDevices);
  expect(getUserMedia.mock.calls[0]?.[0]).toMatchObject({
    audio: false,
    video: { facingMode: { ideal: "environment" } },
  });
});

test("a refusal keeps its cause, and every fault has words", async () => {
  const cause = new DOMException("Permission denied", "NotAllowedError");
  const media = { getUserMedia: () => Promise.reject(cause) } as unknown as MediaDevices;
  const trouble: unknown = await openCamera(media).catch((error: unknown) => error);
  expect(trouble).toBeInstanceOf(CameraTrouble);
  expect((trouble as CameraTrouble).cause).toBe(cause);
  for (const { title, advice } of Object.values(CAMERA_WORDS)) expect(title && advice).toBeTruthy();
});
