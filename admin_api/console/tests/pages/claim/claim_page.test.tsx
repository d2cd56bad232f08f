/** The technician's page, from the tap to arrival, including failures. */
import { act, configure, fireEvent, screen, waitFor, within } from "@testing-library/react";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { encodeLabel } from "../../../src/label/label";
import { shortForm } from "../../../src/label/short_form";
import ClaimPage from "../../../src/pages/claim/claim_page";
import QueueSender from "../../../src/pages/claim/queue/queue_sender";
import { type Answer, FakeApi, LOST, Refusal, type Role, show } from "../../fake_api";
import { network, putBeforeCamera, switchOn } from "./phone";

vi.mock("../../../src/pages/claim/scanner/detector", async () => (await import("./phone")).fakeDetector());

const A = `a1${"b2".repeat(31)}`;
const B = `c3${"d4".repeat(31)}`;
const EAST = { account: "111111111111", region: "eu-west-1", name: "Workshop", profiles: ["default"] };
const WEST = { account: "222222222222", region: "eu-west-2", name: "Hall", profiles: ["default", "gateway"] };

function device(devstate: string, more: object = {}) {
  return (variables: Record<string, unknown>) => ({
    device: {
      certid: variables.certid,
      devicename: "meter-1",
      devstate,
      targetaccount: EAST.account,
      targetregion: EAST.region,
      generation: 1,
      reason: null,
      message: null,
      claimedBy: "user:ada",
      allowedActions: [],
      history: [
        { at: "2026-05-01T10:00:00.000Z", actor: "user:ada", event: "claim", after: "claimed" },
        ...(devstate === "arrived"
          ? [
              {
                at: "2026-05-01T10:00:00.400Z",
                actor: "commissioner",
                event: "commission",
                after: "commissioned",
              },
              { at: "2026-05-01T10:00:01.600Z", actor: "lobby", event: "arrive", after: "arrived" },
            ]
          : []),
      ],
      ...more,
    },
  });
}

const CLAIMED: Answer = (variables) => ({ claimDevice: { certid: variables.certid } });

function api(more: Record<string, Answer> = {}) {
  return new FakeApi({
    Targets: { targets: [EAST] },
    ClaimLabel: CLAIMED,
    Followed: device("arrived"),
    ...more,
  });
}

function open(lobby: FakeApi, scene: { role?: Role; signedIn?: boolean } = {}) {
  return show(
    <>
      <QueueSender />
      <ClaimPage />
    </>,
    lobby,
    { role: "technician", at: "/claim", ...scene },
  );
}

const button = (name: string | RegExp) => screen.findByRole("button", { name });
const theList = () => screen.findByRole("region", { name: "Claims in this session" });

// Complete scenarios with many renderings need more time on a busy machine.
vi.setConfig({ testTimeout: 20_000 });
configure({ asyncUtilTimeout: 5_000 });
beforeEach(async () => void (await switchOn()));
afterEach(() => network(true));

describe("a label", () => {
  test("is scanned, compared, claimed and followed until it arrives", async () => {
    const lobby = api();
    const { user } = open(lobby);
    await screen.findByText("Workshop");
    putBeforeCamera(encodeLabel(A));
    await user.click(await button("Scan label"));
    expect(await screen.findByText(shortForm(A))).toBeTruthy();
    expect(lobby.variablesOf("ClaimLabel")).toEqual([]);
    await user.click(await button("Claim"));
    expect(await button("Scan next label")).toBe(document.activeElement);
    const list = await theList();
    expect(await within(list).findByText("Arrived in 1.6 s.")).toBeTruthy();
    expect(
      within(list)
        .getAllByRole("listitem")
        .map((item) => item.textContent),
    ).toEqual(expect.arrayContaining([expect.stringContaining("Commissioned: done0.4 s")]));
    expect(lobby.variablesOf("ClaimLabel")).toEqual([
      { certid: A, target: { account: EAST.account, region: EAST.region }, profile: null },
    ]);
  });

  test("is confirmed with the presence code if its target requires it", async () => {
    const lobby = api({
      Followed: device("proving", {
        showsCode: true,
        triesLeft: 5,
        allowedActions: ["confirmPresence"],
        history: [{ at: "2026-05-01T10:00:00.000Z", actor: "user:ada", event: "claim", after: "proving" }],
      }),
      ConfirmPresence: (variables: Record<string, unknown>) => ({
        confirmPresence: { __typename: "Device", certid: variables.certid, devstate: "claimed" },
      }),
    });
    const { user } = open(lobby);
    await screen.findByText("Workshop");
    putBeforeCamera(encodeLabel(A));
    await user.click(await button("Scan label"));
    await user.click(await button("Claim"));
    const field = await screen.findByRole("textbox", { name: "Presence code" });
    expect(screen.getByText("Confirmed")).toBeTruthy();
    lobby.answer("Followed", device("arrived"));
    await user.type(field, "4829 1375");
    await user.click(await button("Confirm"));
    expect(await screen.findByText("Arrived in 1.6 s.")).toBeTruthy();
    expect(lobby.variablesOf("ConfirmPresence")).toEqual([{ certid: A, code: "48291375" }]);
  });

  test("is not claimed twice in a session", async () => {
    const lobby = api();
    const { user } = open(lobby);
    await screen.findByText("Workshop");
    putBeforeCamera(encodeLabel(A));
    await user.click(await button("Scan label"));
    await user.click(await button("Claim"));
    await user.click(await button("Scan next label"));
    expect(
      await screen.findByText(/^Already claimed in this session, .*, for 111111111111\/eu-west-1/),
    ).toBeTruthy();
    expect(screen.queryByRole("button", { name: "Claim" })).toBeNull();
    expect(await button("Scan next label")).toBeTruthy();
    expect(lobby.variablesOf("ClaimLabel")).toHaveLength(1);
  });

  test("is distinguished from other codes while the camera stays on", async () => {
    const { user } = open(api());
    putBeforeCamera("https://example.com");
    await user.click(await button("Scan label"));
    expect(await screen.findByText(/not a device label.*https:\/\/example\.com/)).toBeTruthy();
    putBeforeCamera(encodeLabel(A));
    expect(await screen.findByText(shortForm(A))).toBeTruthy();
  });

  test("can be typed", async () => {
    const lobby = api();
    const { user } = open(lobby);
    await screen.findByText("Workshop");
    await user.click(await button("Type code"));
    const field = screen.getByRole("textbox", { name: "Label code" });
    const code = encodeLabel(A);
    await user.click(field);
    await user.paste(code.slice(0, 18).toLowerCase());
    await user.type(field, code.slice(18, 20).toLowerCase());
    expect(screen.getByText("16 of 56")).toBeTruthy();
    await user.type(field, "0");
    expect(screen.getByText("“0” is not allowed. Use A-Z and 2-7.")).toBeTruthy();
    await user.type(field, "{Backspace}");
    await user.paste(code.slice(20));
    expect(await screen.findByText(shortForm(A))).toBeTruthy();
    await user.type(field, "{Enter}");
    await waitFor(() => expect(lobby.variablesOf("ClaimLabel")).toMatchObject([{ certid: A }]));
  });
});

test("claims a series of labels once each, with the camera on", async () => {
  const lobby = api();
  const { user } = open(lobby);
  await user.click(await screen.findByRole("switch", { name: /as they are scanned/ }));
  putBeforeCamera(encodeLabel(A));
  await user.click(await button("Scan label"));
  await waitFor(() => expect(lobby.variablesOf("ClaimLabel")).toHaveLength(1));
  putBeforeCamera(encodeLabel(B));
  await waitFor(() => expect(lobby.variablesOf("ClaimLabel")).toHaveLength(2));
  expect(lobby.variablesOf("ClaimLabel").map(({ certid }) => certid)).toEqual([A, B]);
  expect(screen.getByLabelText("Camera picture")).toBeTruthy();
});

describe("the camera", () => {
  test.each([
    ["NotAllowedError", "Camera access is blocked"],
    ["NotFoundError", "No camera found"],
    ["NotReadableError", "The camera is in use"],
  ])("%s: shows the reason and offers the other input methods", async (cameraFails, title) => {
    await switchOn({ cameraFails });
    const { user } = open(api());
    await user.click(await button("Scan label"));
    expect(await screen.findByText(title)).toBeTruthy();
    expect(await button("Take photo")).toBeTruthy();
    expect(await button("Type code")).toBeTruthy();
    expect(await button("Scan label")).toBeTruthy();
  });

  test("is off until the tap, and off again after Stop", async () => {
    const { track, getUserMedia } = await switchOn();
    const { user } = open(api());
    await screen.findByText("Workshop");
    expect(getUserMedia).not.toHaveBeenCalled();
    await user.click(await button("Scan label"));
    await screen.findByLabelText("Camera picture");
    await user.click(await button("Stop camera"));
    await waitFor(() => expect(track.stop).toHaveBeenCalled());
    expect(await button("Scan label")).toBe(document.activeElement);
  });

  test("is off when the page is left", async () => {
    const { track } = await switchOn();
    const { user, unmount } = open(api());
    await user.click(await button("Scan label"));
    await button("Stop camera");
    await waitFor(() => expect(navigator.mediaDevices.getUserMedia).toHaveBeenCalled());
    unmount();
    await waitFor(() => expect(track.stop).toHaveBeenCalled());
  });

  test("is off when the page is hidden", async () => {
    const { track } = await switchOn();
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
    const { track } = await switchOn({ torch: true });
    const { user } = open(api());
    await user.click(await button("Scan label"));
    const lamp = await button("Light");
    await user.click(lamp);
    expect(track.applyConstraints).toHaveBeenCalledWith({ advanced: [{ torch: true }] });
    await waitFor(() => expect(lamp.getAttribute("aria-pressed")).toBe("true"));
  });
});

describe("a claim that fails", () => {
  async function claim(lobby: FakeApi, role: Role = "technician") {
    const { user } = open(lobby, { role });
    await screen.findByText("Workshop");
    putBeforeCamera(encodeLabel(A));
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
    putBeforeCamera(encodeLabel(A));
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
    putBeforeCamera(encodeLabel(A));
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
    putBeforeCamera(encodeLabel(A));
    await user.click(await button("Scan label"));
    await user.click(await button("Claim"));
    expect(await within(await theList()).findByText(/Waiting for the network/)).toBeTruthy();
    expect(lobby.variablesOf("ClaimLabel")).toEqual([]);
  });

  test("holds another user's claim until the current user consents to send it", async () => {
    localStorage.setItem(
      "device-lobby.claim",
      JSON.stringify({ person: "ben", targets: [EAST], picked: null }),
    );
    act(() => network(false));
    const offline = open(api({ Targets: LOST }), { signedIn: false });
    putBeforeCamera(encodeLabel(A));
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

describe("the target", () => {
  test("is chosen among several, with its profile, and remembered", async () => {
    const lobby = api({ Targets: { targets: [EAST, WEST] } });
    const { user, unmount } = open(lobby);
    const target = await screen.findByRole("combobox", { name: "Target" });
    putBeforeCamera(encodeLabel(A));
    await user.click(await button("Scan label"));
    expect(await screen.findByText("Choose a target first.")).toBeTruthy();
    expect((await button("Claim")).hasAttribute("disabled")).toBe(true);
    await user.selectOptions(target, "222222222222/eu-west-2");
    await user.selectOptions(screen.getByRole("combobox", { name: "Profile" }), "gateway");
    await user.click(await button("Claim"));
    await waitFor(() =>
      expect(lobby.variablesOf("ClaimLabel")).toEqual([
        { certid: A, target: { account: WEST.account, region: WEST.region }, profile: "gateway" },
      ]),
    );
    unmount();
    open(api({ Targets: { targets: [EAST, WEST] } }));
    const again = await screen.findByRole("combobox", { name: "Target" });
    expect((again as HTMLSelectElement).value).toBe("222222222222/eu-west-2");
    expect(localStorage.getItem("device-lobby.claim")).not.toContain("oken");
  });

  test("explains whom to ask if there is none", async () => {
    open(api({ Targets: { targets: [] } }));
    expect(await screen.findByText("No targets available")).toBeTruthy();
  });

  test("is requested again after a failure", async () => {
    const lobby = api({ Targets: LOST });
    const { user } = open(lobby);
    const retry = await button("Try again");
    lobby.answer("Targets", { targets: [EAST] });
    await user.click(retry);
    expect(await screen.findByText("Workshop")).toBeTruthy();
  });
});

test("tells a viewer that the role is read-only", async () => {
  open(api(), { role: "viewer" });
  expect(await screen.findByText("You can't claim devices")).toBeTruthy();
  expect(screen.queryByRole("button", { name: "Scan label" })).toBeNull();
});
