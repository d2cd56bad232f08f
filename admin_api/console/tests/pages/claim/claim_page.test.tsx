/** The technician's page, from the tap to "arrived", with what can go wrong on the way. */
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
const theList = () => screen.findByRole("region", { name: "Claims of this session" });

// Whole journeys, each with many renderings: they take their time on a busy machine.
vi.setConfig({ testTimeout: 20_000 });
configure({ asyncUtilTimeout: 5_000 });
beforeEach(async () => void (await switchOn()));
afterEach(() => network(true));

describe("one label", () => {
  test("is scanned, compared, claimed, and followed until it arrives; the next one is a tap away", async () => {
    const lobby = api();
    const { person } = open(lobby);
    await screen.findByText("Workshop");
    putBeforeCamera(encodeLabel(A));
    await person.click(await button("Scan a label"));
    expect(await screen.findByText(shortForm(A))).toBeTruthy();
    expect(lobby.variablesOf("ClaimLabel")).toEqual([]);
    await person.click(await button("Claim"));
    expect(await button("Scan the next one")).toBe(document.activeElement);
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

  test("whose target asks for it is confirmed with the code that the device shows", async () => {
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
    const { person } = open(lobby);
    await screen.findByText("Workshop");
    putBeforeCamera(encodeLabel(A));
    await person.click(await button("Scan a label"));
    await person.click(await button("Claim"));
    const field = await screen.findByRole("textbox", { name: "Code on the device" });
    expect(screen.getByText("Confirmed")).toBeTruthy();
    lobby.answer("Followed", device("arrived"));
    await person.type(field, "4829 1375");
    await person.click(await button("Confirm"));
    expect(await screen.findByText("Arrived in 1.6 s.")).toBeTruthy();
    expect(lobby.variablesOf("ConfirmPresence")).toEqual([{ certid: A, code: "48291375" }]);
  });

  test("that was claimed in this session is said to be, and not claimed again", async () => {
    const lobby = api();
    const { person } = open(lobby);
    await screen.findByText("Workshop");
    putBeforeCamera(encodeLabel(A));
    await person.click(await button("Scan a label"));
    await person.click(await button("Claim"));
    await person.click(await button("Scan the next one"));
    expect(
      await screen.findByText(/^Claimed in this session already, .*, for 111111111111\/eu-west-1/),
    ).toBeTruthy();
    expect(screen.queryByRole("button", { name: "Claim" })).toBeNull();
    expect(await button("Scan the next one")).toBeTruthy();
    expect(lobby.variablesOf("ClaimLabel")).toHaveLength(1);
  });

  test("that is none says what it is, with the camera on", async () => {
    const { person } = open(api());
    putBeforeCamera("https://example.com");
    await person.click(await button("Scan a label"));
    expect(await screen.findByText(/not a device label.*https:\/\/example\.com/)).toBeTruthy();
    putBeforeCamera(encodeLabel(A));
    expect(await screen.findByText(shortForm(A))).toBeTruthy();
  });

  test("is typed, where no camera reads it", async () => {
    const lobby = api();
    const { person } = open(lobby);
    await screen.findByText("Workshop");
    await person.click(await button("Type the code"));
    const field = screen.getByRole("textbox", { name: "The label's code" });
    const code = encodeLabel(A);
    await person.click(field);
    await person.paste(code.slice(0, 18).toLowerCase());
    await person.type(field, code.slice(18, 20).toLowerCase());
    expect(screen.getByText("16 of 56")).toBeTruthy();
    await person.type(field, "0");
    expect(screen.getByText("got “0”, want A-Z and 2-7 only")).toBeTruthy();
    await person.type(field, "{Backspace}");
    await person.paste(code.slice(20));
    expect(await screen.findByText(shortForm(A))).toBeTruthy();
    await person.type(field, "{Enter}");
    await waitFor(() => expect(lobby.variablesOf("ClaimLabel")).toMatchObject([{ certid: A }]));
  });
});

test("a series is claimed label after label, each once, with the camera on", async () => {
  const lobby = api();
  const { person } = open(lobby);
  await person.click(await screen.findByRole("switch", { name: /series/ }));
  putBeforeCamera(encodeLabel(A));
  await person.click(await button("Scan a label"));
  await waitFor(() => expect(lobby.variablesOf("ClaimLabel")).toHaveLength(1));
  putBeforeCamera(encodeLabel(B));
  await waitFor(() => expect(lobby.variablesOf("ClaimLabel")).toHaveLength(2));
  expect(lobby.variablesOf("ClaimLabel").map(({ certid }) => certid)).toEqual([A, B]);
  expect(screen.getByLabelText("What the camera sees")).toBeTruthy();
});

describe("the camera", () => {
  test.each([
    ["NotAllowedError", "The camera is not allowed here"],
    ["NotFoundError", "No camera was found"],
    ["NotReadableError", "The camera is in use"],
  ])("%s: says so, and the other ways are at hand", async (cameraFails, title) => {
    await switchOn({ cameraFails });
    const { person } = open(api());
    await person.click(await button("Scan a label"));
    expect(await screen.findByText(title)).toBeTruthy();
    expect(await button("Photo")).toBeTruthy();
    expect(await button("Type the code")).toBeTruthy();
    expect(await button("Scan a label")).toBeTruthy();
  });

  test("is off until the tap, and off again when it is stopped", async () => {
    const { track, getUserMedia } = await switchOn();
    const { person } = open(api());
    await screen.findByText("Workshop");
    expect(getUserMedia).not.toHaveBeenCalled();
    await person.click(await button("Scan a label"));
    await screen.findByLabelText("What the camera sees");
    await person.click(await button("Stop the camera"));
    await waitFor(() => expect(track.stop).toHaveBeenCalled());
    expect(await button("Scan a label")).toBe(document.activeElement);
  });

  test("is off when the page is left", async () => {
    const { track } = await switchOn();
    const { person, unmount } = open(api());
    await person.click(await button("Scan a label"));
    await button("Stop the camera");
    await waitFor(() => expect(navigator.mediaDevices.getUserMedia).toHaveBeenCalled());
    unmount();
    await waitFor(() => expect(track.stop).toHaveBeenCalled());
  });

  test("is off when the page is hidden", async () => {
    const { track } = await switchOn();
    const { person } = open(api());
    await person.click(await button("Scan a label"));
    await button("Stop the camera");
    const visibility = vi.spyOn(document, "visibilityState", "get").mockReturnValue("hidden");
    fireEvent(document, new Event("visibilitychange"));
    await waitFor(() => expect(track.stop).toHaveBeenCalled());
    visibility.mockRestore();
    fireEvent(document, new Event("visibilitychange"));
    expect(await button("Scan a label")).toBeTruthy();
  });

  test("has a lamp where the phone has one", async () => {
    const { track } = await switchOn({ torch: true });
    const { person } = open(api());
    await person.click(await button("Scan a label"));
    const lamp = await button("Lamp");
    await person.click(lamp);
    expect(track.applyConstraints).toHaveBeenCalledWith({ advanced: [{ torch: true }] });
    await waitFor(() => expect(lamp.getAttribute("aria-pressed")).toBe("true"));
  });
});

describe("a claim that does not go through", () => {
  async function claim(lobby: FakeApi, role: Role = "technician") {
    const { person } = open(lobby, { role });
    await screen.findByText("Workshop");
    putBeforeCamera(encodeLabel(A));
    await person.click(await button("Scan a label"));
    await person.click(await button("Claim"));
    return person;
  }

  const FAILED = device("failed", {
    reason: "TARGET_ROLE_DENIED",
    message: "answered AccessDenied; run the set-up command, then retry",
    allowedActions: ["retryDevice"],
    history: [
      { at: "2026-05-01T10:00:00.000Z", actor: "user:ada", event: "claim", after: "claimed" },
      { at: "2026-05-01T10:00:01.000Z", actor: "commissioner", event: "fail", after: "failed" },
    ],
  });

  test("shows the reason; a technician gets words for an operator", async () => {
    await claim(api({ Followed: FAILED }));
    expect(await screen.findByText(/run the set-up command/)).toBeTruthy();
    expect(screen.getByText("TARGET_ROLE_DENIED")).toBeTruthy();
    expect(await button("Copy for an operator")).toBeTruthy();
    expect(screen.queryByRole("button", { name: "Retry" })).toBeNull();
  });

  test("is retried by who may, and followed on", async () => {
    const lobby = api({ Followed: FAILED, RetryClaimed: { retryDevice: { certid: A } } });
    const person = await claim(lobby, "operator");
    const retry = await button("Retry");
    lobby.answer("Followed", device("arrived"));
    await person.click(retry);
    expect(await screen.findByText("Arrived in 1.6 s.")).toBeTruthy();
    expect(lobby.variablesOf("RetryClaimed")).toEqual([{ certid: A }]);
  });

  test("because somebody else has the device, says who, when and what may be done; it goes when dismissed", async () => {
    const person = await claim(
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
    expect(screen.getByText(/^By ben, .* for 111111111111\/eu-west-3/)).toBeTruthy();
    expect(screen.getByText(/An operator can move it/)).toBeTruthy();
    await person.click(await button("Dismiss"));
    await waitFor(() => expect(screen.queryByText("Already claimed")).toBeNull());
  });

  test("because the device was never switched on, says to do that, and stays followed", async () => {
    const lobby = api({
      Followed: device("expected", {
        history: [{ at: "2026-05-01T10:00:00.000Z", actor: "user:ada", event: "claim", after: "expected" }],
      }),
    });
    await claim(lobby);
    expect(await screen.findByText(/Power it on; it goes through by itself/)).toBeTruthy();
    lobby.answer("Followed", device("arrived"));
    expect(await screen.findByText("Arrived in 1.6 s.")).toBeTruthy();
  });
});

describe("without a network", () => {
  test("a claim is kept, shown, and sent once when the network is back", async () => {
    const lobby = api({ ClaimLabel: LOST });
    const { person } = open(lobby);
    await screen.findByText("Workshop");
    act(() => network(false));
    putBeforeCamera(encodeLabel(A));
    await person.click(await button("Scan a label"));
    await person.click(await button("Claim"));
    const list = await theList();
    expect(await within(list).findByText(/Waiting for the network/)).toBeTruthy();
    expect(lobby.variablesOf("ClaimLabel")).toEqual([]);
    lobby.answer("ClaimLabel", CLAIMED);
    act(() => network(true));
    expect(await within(list).findByText("Arrived in 1.6 s.")).toBeTruthy();
    expect(lobby.variablesOf("ClaimLabel")).toHaveLength(1);
  });

  test("an unsent claim is removed on the second tap only", async () => {
    const { person } = open(api());
    await screen.findByText("Workshop");
    act(() => network(false));
    putBeforeCamera(encodeLabel(A));
    await person.click(await button("Scan a label"));
    await person.click(await button("Claim"));
    await person.click(await button("Remove"));
    expect(within(await theList()).getByText(shortForm(A))).toBeTruthy();
    await person.click(await button("Remove it unsent?"));
    await waitFor(() => expect(screen.queryByText(shortForm(A))).toBeNull());
  });

  test("the page that opens offline knows the last person's targets, claims in their name, and sends nothing", async () => {
    const first = open(api());
    await screen.findByText("Workshop");
    first.unmount();
    act(() => network(false));
    const lobby = api({ Targets: LOST });
    const { person } = open(lobby, { signedIn: false });
    expect(await screen.findByText(/Opened without a network.*in the name of ada/)).toBeTruthy();
    expect(await screen.findByText("Workshop")).toBeTruthy();
    putBeforeCamera(encodeLabel(A));
    await person.click(await button("Scan a label"));
    await person.click(await button("Claim"));
    expect(await within(await theList()).findByText(/Waiting for the network/)).toBeTruthy();
    expect(lobby.variablesOf("ClaimLabel")).toEqual([]);
  });

  test("a claim made by somebody else is held, and sent in another name only when they say so", async () => {
    localStorage.setItem(
      "device-lobby.claim",
      JSON.stringify({ person: "ben", targets: [EAST], picked: null }),
    );
    act(() => network(false));
    const offline = open(api({ Targets: LOST }), { signedIn: false });
    putBeforeCamera(encodeLabel(A));
    await offline.person.click(await button("Scan a label"));
    await offline.person.click(await button("Claim"));
    await theList();
    offline.unmount();
    act(() => network(true));
    const lobby = api();
    const { person } = open(lobby);
    expect(await screen.findByText(/Made here by ben/)).toBeTruthy();
    expect(lobby.variablesOf("ClaimLabel")).toEqual([]);
    await person.click(await button("Send as ada"));
    await waitFor(() => expect(lobby.variablesOf("ClaimLabel")).toHaveLength(1));
  });
});

describe("the target", () => {
  test("is picked among several, with its profile, and remembered", async () => {
    const lobby = api({ Targets: { targets: [EAST, WEST] } });
    const { person, unmount } = open(lobby);
    const target = await screen.findByRole("combobox", { name: "Target" });
    putBeforeCamera(encodeLabel(A));
    await person.click(await button("Scan a label"));
    expect(await screen.findByText("Pick a target above first.")).toBeTruthy();
    expect((await button("Claim")).hasAttribute("disabled")).toBe(true);
    await person.selectOptions(target, "222222222222/eu-west-2");
    await person.selectOptions(screen.getByRole("combobox", { name: "Profile" }), "gateway");
    await person.click(await button("Claim"));
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

  test("where there is none, says whom to ask", async () => {
    open(api({ Targets: { targets: [] } }));
    expect(await screen.findByText("There is no target for you yet")).toBeTruthy();
  });

  test("that cannot be looked up is asked for again", async () => {
    const lobby = api({ Targets: LOST });
    const { person } = open(lobby);
    const retry = await button("Try again");
    lobby.answer("Targets", { targets: [EAST] });
    await person.click(retry);
    expect(await screen.findByText("Workshop")).toBeTruthy();
  });
});

test("a viewer is told that claiming is not for them", async () => {
  open(api(), { role: "viewer" });
  expect(await screen.findByText("Claiming is not for you")).toBeTruthy();
  expect(screen.queryByRole("button", { name: "Scan a label" })).toBeNull();
});
