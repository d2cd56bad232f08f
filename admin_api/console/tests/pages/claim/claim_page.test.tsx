/** The technician's page, from the tap to arrival. */
import { screen, waitFor, within } from "@testing-library/react";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { encodeLabel } from "../../../src/label/label";
import { shortForm } from "../../../src/label/short_form";
import { LOST } from "../../fake_api";
import { A, api, B, button, device, EAST, open, theList, WEST } from "./claim_page_fixtures";
import { network, resetPhone, showToCamera } from "./phone";

vi.mock("../../../src/pages/claim/scanner/detector", async () => (await import("./phone")).fakeDetector());

beforeEach(async () => void (await resetPhone()));
afterEach(() => network(true));

test("a link opens the page with the code, and nothing is claimed without the user", {
  tags: "full",
}, async () => {
  const lobby = api();
  history.replaceState(null, "", `/claim#${encodeLabel(A)}`);
  const { user } = open(lobby);
  await screen.findAllByText("Workshop");
  expect(await screen.findByText(shortForm(A))).toBeTruthy();
  expect(location.hash).toBe("");
  expect(lobby.variablesOf("ClaimLabel")).toEqual([]);
  await user.click(await button("Claim"));
  expect(await within(await theList()).findByText("Arrived in 1.6 s.")).toBeTruthy();
  expect(lobby.variablesOf("ClaimLabel")).toMatchObject([{ certid: A }]);
});

describe("a label", () => {
  test("is scanned, compared, claimed and followed until it arrives", async () => {
    const lobby = api();
    const { user } = open(lobby);
    await screen.findByText("Workshop");
    showToCamera(encodeLabel(A));
    await user.click(await button("Scan label"));
    expect(await screen.findByText(shortForm(A))).toBeTruthy();
    expect(lobby.variablesOf("ClaimLabel")).toEqual([]);
    await user.click(await button("Claim"));
    await waitFor(() =>
      expect(screen.getByRole("button", { name: "Scan next label" })).toBe(document.activeElement),
    );
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
    showToCamera(encodeLabel(A));
    await user.click(await button("Scan label"));
    await user.click(await button("Claim"));
    const field = await screen.findByRole("textbox", { name: "Presence code" });
    expect(screen.getByText("Confirmed")).toBeTruthy();
    await user.type(field, "4829 1375");
    await user.click(await button("Confirm"));
    lobby.answer("Followed", device("arrived"));
    expect(await screen.findByText("Arrived in 1.6 s.")).toBeTruthy();
    expect(lobby.variablesOf("ConfirmPresence")).toEqual([{ certid: A, code: "48291375" }]);
  });

  test("is not claimed twice in a session", { tags: "full" }, async () => {
    const lobby = api();
    const { user } = open(lobby);
    await screen.findByText("Workshop");
    showToCamera(encodeLabel(A));
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
    showToCamera("https://example.com");
    await user.click(await button("Scan label"));
    expect(await screen.findByText(/not a device label.*https:\/\/example\.com/)).toBeTruthy();
    showToCamera(encodeLabel(A));
    expect(await screen.findByText(shortForm(A))).toBeTruthy();
  });

  test("can be typed", async () => {
    const lobby = api();
    const { user } = open(lobby);
    await screen.findByText("Workshop");
    await user.click(await button("Type code"));
    const field = await screen.findByRole("textbox", { name: "Label code" });
    const code = encodeLabel(A);
    await user.click(field);
    await user.paste(code.slice(0, 18).toLowerCase());
    await user.type(field, code.slice(18, 20).toLowerCase());
    expect(screen.getByText("16 of 56")).toBeTruthy();
    await user.type(field, "0");
    expect(screen.getByText("Not allowed: “0”. Use A-Z and 2-7.")).toBeTruthy();
    await user.type(field, "{Backspace}");
    await user.paste(code.slice(20));
    expect(await screen.findByText(shortForm(A))).toBeTruthy();
    await user.type(field, "{Enter}");
    await waitFor(() => expect(lobby.variablesOf("ClaimLabel")).toMatchObject([{ certid: A }]));
  });
});

test("claims a series of labels once each, with the camera on", { tags: "full" }, async () => {
  const lobby = api();
  const { user } = open(lobby);
  await user.click(await screen.findByRole("switch", { name: /as they are scanned/ }));
  showToCamera(encodeLabel(A));
  await user.click(await button("Scan label"));
  await waitFor(() => expect(lobby.variablesOf("ClaimLabel")).toHaveLength(1));
  showToCamera(encodeLabel(B));
  await waitFor(() => expect(lobby.variablesOf("ClaimLabel")).toHaveLength(2));
  expect(lobby.variablesOf("ClaimLabel").map(({ certid }) => certid)).toEqual([A, B]);
  expect(screen.getByLabelText("Camera picture")).toBeTruthy();
});

describe("the target", () => {
  test("is chosen among several, with its profile, and remembered", async () => {
    const lobby = api({ Targets: { targets: [EAST, WEST] } });
    const { user, unmount } = open(lobby);
    const target = await screen.findByRole("combobox", { name: "Target" });
    showToCamera(encodeLabel(A));
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
