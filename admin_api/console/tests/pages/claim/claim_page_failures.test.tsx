/** The claim page when a claim fails or the network is lost. */
import { act, screen, waitFor, within } from "@testing-library/react";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { encodeLabel } from "../../../src/label/label";
import { shortForm } from "../../../src/label/short_form";
import { type FakeApi, LOST, Refusal, type Role } from "../../fake_api";
import { A, api, button, CLAIMED, device, EAST, open, theList } from "./claim_page_fixtures";
import { network, resetPhone, showToCamera } from "./phone";

vi.mock("../../../src/pages/claim/scanner/detector", async () => (await import("./phone")).fakeDetector());

beforeEach(async () => void (await resetPhone()));
afterEach(() => network(true));

describe("a claim that fails", () => {
  async function claim(lobby: FakeApi, role: Role = "technician") {
    const { user } = open(lobby, { role });
    await screen.findByText("Workshop");
    showToCamera(encodeLabel(A));
    await user.click(await button("Scan label"));
    await user.click(await button("Claim"));
    return user;
  }

  const FAILED = device("failed", {
    reason: "TARGET_ROLE_DENIED",
    message: "answered AccessDenied; run the setup command, then retry",
    allowedActions: ["retryDevice"],
    history: [
      { at: "2026-05-01T10:00:00.000Z", actor: "user:ada", event: "claim", after: "claimed" },
      { at: "2026-05-01T10:00:01.000Z", actor: "commissioner", event: "fail", after: "failed" },
    ],
  });

  test("shows the reason, and a message for an operator to a technician", async () => {
    await claim(api({ Followed: FAILED }));
    expect(await screen.findByText(/run the setup command/)).toBeTruthy();
    expect(screen.getByText("TARGET_ROLE_DENIED")).toBeTruthy();
    expect(await button("Copy for operator")).toBeTruthy();
    expect(screen.queryByRole("button", { name: "Retry" })).toBeNull();
  });

  test("is retried by roles that may, and followed", async () => {
    const lobby = api({ Followed: FAILED, RetryClaimed: { retryDevice: { certid: A } } });
    const user = await claim(lobby, "operator");
    const retry = await button("Retry");
    lobby.answer("Followed", device("arrived"));
    await user.click(retry);
    expect(await screen.findByText("Arrived in 1.6 s.")).toBeTruthy();
    expect(lobby.variablesOf("RetryClaimed")).toEqual([{ certid: A }]);
  });

  const UNABLE = device("proving", {
    showsCode: false,
    triesLeft: 5,
    reason: "CODE_NOT_SHOWN",
    message: "its client does not show codes: update it",
    allowedActions: ["confirmPresence", "releaseDevice", "retryDevice"],
    history: [{ at: "2026-05-01T10:00:00.000Z", actor: "user:ada", event: "claim", after: "proving" }],
  });

  test("is an error if the device can't show the code that its target requires", async () => {
    await claim(api({ Followed: UNABLE }));
    const alert = await screen.findByRole("alert");
    expect(within(alert).getByText(/: update it/)).toBeTruthy();
    expect(within(alert).getByRole("button", { name: "Copy for operator" })).toBeTruthy();
    expect(screen.queryByRole("textbox", { name: "Presence code" })).toBeNull();
  });

  test("is released by roles that may if the code can't be shown", { tags: "full" }, async () => {
    const lobby = api({ Followed: UNABLE, ReleaseClaimed: { releaseDevice: { certid: A } } });
    const user = await claim(lobby, "operator");
    const release = await button("Release");
    expect(screen.queryByRole("button", { name: "Retry" })).toBeNull();
    lobby.answer("Followed", device("inlobby", { targetaccount: null, targetregion: null }));
    await user.click(release);
    expect(await screen.findByText("The claim was released.")).toBeTruthy();
    expect(lobby.variablesOf("ReleaseClaimed")).toEqual([{ certid: A }]);
  });

  test("names the holder of the device, and can be dismissed", async () => {
    const user = await claim(
      api({
        ClaimLabel: new Refusal("ALREADY_CLAIMED", "got a claim for a device that is arrived", {
          claimDevice: null,
        }),
        Holder: device("arrived", {
          claimedBy: "user:ben",
          claimedAt: "2026-05-01T09:00:00Z",
          targetregion: "eu-west-3",
        }),
      }),
    );
    expect(await screen.findByText("Already claimed")).toBeTruthy();
    expect(screen.getByText(/^Claimed by ben, .* for 111111111111\/eu-west-3/)).toBeTruthy();
    expect(screen.getByText(/An operator can move it/)).toBeTruthy();
    await user.click(await button("Dismiss"));
    await waitFor(() => expect(screen.queryByText("Already claimed")).toBeNull());
  });

  test("asks to power on a device that was never seen, and follows it", async () => {
    const lobby = api({
      Followed: device("expected", {
        history: [{ at: "2026-05-01T10:00:00.000Z", actor: "user:ada", event: "claim", after: "expected" }],
      }),
    });
    await claim(lobby);
    expect(await screen.findByText(/Power it on; the rest is automatic/)).toBeTruthy();
    lobby.answer("Followed", device("arrived"));
    expect(await screen.findByText("Arrived in 1.6 s.")).toBeTruthy();
  });
});

describe("without a network", () => {
  test("keeps a claim and sends it once when the network returns", async () => {
    const lobby = api({ ClaimLabel: LOST });
    const { user } = open(lobby);
    await screen.findByText("Workshop");
    act(() => network(false));
    showToCamera(encodeLabel(A));
    await user.click(await button("Scan label"));
    await user.click(await button("Claim"));
    const list = await theList();
    expect(await within(list).findByText(/Waiting for the network/)).toBeTruthy();
    expect(lobby.variablesOf("ClaimLabel")).toEqual([]);
    lobby.answer("ClaimLabel", CLAIMED);
    act(() => network(true));
    expect(await within(list).findByText("Arrived in 1.6 s.")).toBeTruthy();
    expect(lobby.variablesOf("ClaimLabel")).toHaveLength(1);
  });

  test("removes an unsent claim only on the second tap", async () => {
    const { user } = open(api());
    await screen.findByText("Workshop");
    act(() => network(false));
    showToCamera(encodeLabel(A));
    await user.click(await button("Scan label"));
    await user.click(await button("Claim"));
    await user.click(await button("Remove"));
    expect(within(await theList()).getByText(shortForm(A))).toBeTruthy();
    await user.click(await button("Remove unsent claim?"));
    await waitFor(() => expect(screen.queryByText(shortForm(A))).toBeNull());
  });

  test("claims for the last user's targets when opened offline, and sends nothing", async () => {
    const first = open(api());
    await screen.findByText("Workshop");
    first.unmount();
    act(() => network(false));
    const lobby = api({ Targets: LOST });
    const { user } = open(lobby, { signedIn: false });
    expect(await screen.findByText(/You're offline\. .* sent as ada when the network is back/)).toBeTruthy();
    expect(await screen.findByText("Workshop")).toBeTruthy();
    showToCamera(encodeLabel(A));
    await user.click(await button("Scan label"));
    await user.click(await button("Claim"));
    expect(await within(await theList()).findByText(/Waiting for the network/)).toBeTruthy();
    expect(lobby.variablesOf("ClaimLabel")).toEqual([]);
  });

  test("holds another user's claim until the current user consents to send it", {
    tags: "full",
  }, async () => {
    localStorage.setItem(
      "device-lobby.claim",
      JSON.stringify({ person: "ben", targets: [EAST], picked: null }),
    );
    act(() => network(false));
    const offline = open(api({ Targets: LOST }), { signedIn: false });
    showToCamera(encodeLabel(A));
    await offline.user.click(await button("Scan label"));
    await offline.user.click(await button("Claim"));
    await theList();
    offline.unmount();
    act(() => network(true));
    const lobby = api();
    const { user } = open(lobby);
    expect(await screen.findByText(/Made on this phone by ben/)).toBeTruthy();
    expect(lobby.variablesOf("ClaimLabel")).toEqual([]);
    await user.click(await button("Send as ada"));
    await waitFor(() => expect(lobby.variablesOf("ClaimLabel")).toHaveLength(1));
  });
});
