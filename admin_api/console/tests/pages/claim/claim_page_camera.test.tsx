/** The camera of the claim page: when it runs, and what happens without it. */
import { fireEvent, screen, waitFor } from "@testing-library/react";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { api, button, open } from "./claim_page_fixtures";
import { network, resetPhone } from "./phone";

vi.mock("../../../src/pages/claim/scanner/detector", async () => (await import("./phone")).fakeDetector());

beforeEach(async () => void (await resetPhone()));
afterEach(() => network(true));

describe("the camera", () => {
  test.each([
    ["NotAllowedError", "Camera access is blocked"],
    ["NotFoundError", "No camera found"],
    ["NotReadableError", "The camera is in use"],
  ])("%s: shows the reason and offers the other input methods", async (cameraFails, title) => {
    await resetPhone({ cameraFails });
    const { user } = open(api());
    await user.click(await button("Scan label"));
    expect(await screen.findByText(title)).toBeTruthy();
    expect(await button("Take photo")).toBeTruthy();
    expect(await button("Type code")).toBeTruthy();
    expect(await button("Scan label")).toBeTruthy();
  });

  test("is off until the tap, and off again after Stop", async () => {
    const { track, getUserMedia } = await resetPhone();
    const { user } = open(api());
    await screen.findByText("Workshop");
    expect(getUserMedia).not.toHaveBeenCalled();
    await user.click(await button("Scan label"));
    await screen.findByLabelText("Camera picture");
    await user.click(await button("Stop camera"));
    await waitFor(() => expect(track.stop).toHaveBeenCalled());
    await waitFor(() =>
      expect(screen.getByRole("button", { name: "Scan label" })).toBe(document.activeElement),
    );
  });

  test("is off when the page is left", async () => {
    const { track } = await resetPhone();
    const { user, unmount } = open(api());
    await user.click(await button("Scan label"));
    await button("Stop camera");
    await waitFor(() => expect(navigator.mediaDevices.getUserMedia).toHaveBeenCalled());
    unmount();
    await waitFor(() => expect(track.stop).toHaveBeenCalled());
  });

  test("is off when the page is hidden", async () => {
    const { track } = await resetPhone();
    const { user } = open(api());
    await user.click(await button("Scan label"));
    await button("Stop camera");
    const visibility = vi.spyOn(document, "visibilityState", "get").mockReturnValue("hidden");
    fireEvent(document, new Event("visibilitychange"));
    await waitFor(() => expect(track.stop).toHaveBeenCalled());
    visibility.mockRestore();
    fireEvent(document, new Event("visibilitychange"));
    expect(await button("Scan label")).toBeTruthy();
  });

  test("has a light switch if the phone has a light", async () => {
    const { track } = await resetPhone({ torch: true });
    const { user } = open(api());
    await user.click(await button("Scan label"));
    const lamp = await button("Light");
    await user.click(lamp);
    expect(track.applyConstraints).toHaveBeenCalledWith({ advanced: [{ torch: true }] });
    await waitFor(() => expect(lamp.getAttribute("aria-pressed")).toBe("true"));
  });
});
