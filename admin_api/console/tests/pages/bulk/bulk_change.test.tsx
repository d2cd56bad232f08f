/** Changing many devices: selection or filter, preview, conditions, results, and roles. */
import { fireEvent, screen, waitFor, within } from "@testing-library/react";
import { expect, test } from "vitest";
import DevicesPage from "../../../src/pages/devices/devices_page";
import { type FakeApi, LOST, type Role, show } from "../../fake_api";
import { stopClock } from "../clock";
import { ledger } from "../devices/devices_fixtures";
import { certid, deviceLine, deviceLines } from "../fixtures";
import { enter as enterWaiting, lobby } from "../waiting/waiting_fixtures";

stopClock();

type Chosen = { certid: string; generation?: number };
type Refused = (certid: string) => string | null;
const NOBODY: Refused = () => null;

function claimed(count: number) {
  return Array.from({ length: count }, (_, index) =>
    deviceLine(index + 1, {
      devstate: "arrived",
      targetaccount: "200000000002",
      targetregion: "eu-west-1",
      generation: 3,
    }),
  );
}

/** Prepares the answers of the preview and the change. `refused` returns a code. */
function answers(api: FakeApi, refused: Refused = NOBODY, later: Refused = NOBODY, matching: string[] = []) {
  api.answer("PreviewChange", ({ devices, after }) => {
    const listed = (devices as Chosen[] | undefined)?.map((each) => each.certid);
    const start = Number(after ?? 0);
    const certids = listed ?? matching.slice(start, start + 2);
    const next = listed || start + 2 >= matching.length ? null : String(start + 2);
    return {
      previewChange: {
        __typename: "ChangePreview",
        devices: certids.map((each) => {
          const code = refused(each);
          return {
            __typename: "PreviewedDevice",
            certid: each,
            ok: code === null,
            changes: code === null,
            code,
            message: code && `got ${each}, want another`,
            generation: 3,
            state: "inlobby",
            device: {
              __typename: "Device",
              certid: each,
              devicename: `sensor-${Number.parseInt(each.slice(0, 4), 16)}`,
              devstate: "arrived",
            },
          };
        }),
        pageInfo: { __typename: "PageInfo", hasNextPage: next !== null, endCursor: next },
      },
    };
  });
  api.answer("ChangeDevices", ({ devices }) => ({
    changeDevices: {
      __typename: "BulkChange",
      results: (devices as Chosen[]).map(({ certid: each }) => {
        const code = later(each);
        return {
          __typename: "ChangeResult",
          certid: each,
          ok: code === null,
          code,
          message: code && "got x, want y",
          forgotten: false,
        };
      }),
    },
  }));
}

const enter = (api: FakeApi, at = "/devices", role: Role = "operator") =>
  show(<DevicesPage />, api, { at, role });
const pick = (name: string) => fireEvent.click(screen.getByRole("checkbox", { name: `Select ${name}` }));

async function begin(menu: string, action: RegExp) {
  fireEvent.click(await screen.findByRole("button", { name: menu }));
  fireEvent.click(await screen.findByRole("menuitem", { name: action }));
}

test("releases the selected devices after a preview, in the generation that was shown", async () => {
  const { api } = ledger(claimed(4));
  answers(api);
  await enter(api);
  await screen.findByText("sensor-1");
  pick("sensor-1");
  pick("sensor-3");
  await begin("Change 2", /Release/);
  expect(await screen.findByRole("dialog", { name: "Release 2 selected devices" })).toBeTruthy();
  expect(api.variablesOf("ChangeDevices")).toEqual([]);
  fireEvent.click(screen.getByRole("button", { name: "Preview" }));
  await screen.findByText("2 devices will be changed");
  fireEvent.click(screen.getByRole("button", { name: "Release 2" }));
  await screen.findByText("2 changed");
  expect(api.variablesOf("PreviewChange")[0]).toMatchObject({
    change: { operation: "RELEASE" },
    devices: [{ certid: certid(1) }, { certid: certid(3) }],
  });
  expect(api.variablesOf("ChangeDevices")).toEqual([
    {
      change: { operation: "RELEASE" },
      devices: [
        { certid: certid(1), generation: 3, devstate: "arrived" },
        { certid: certid(3), generation: 3, devstate: "arrived" },
      ],
    },
  ]);
});

test("changes all devices that match the filter, page by page", async () => {
  const { api } = ledger(claimed(5));
  answers(api, NOBODY, NOBODY, [1, 2, 3, 4, 5].map(certid));
  await enter(api, "/devices?state=arrived&target=200000000002%2Feu-west-1");
  await screen.findByText("sensor-1");
  await begin("Change all that match", /Retry/);
  await screen.findByRole("dialog", { name: "Retry all arrived devices in Rotterdam" });
  fireEvent.click(screen.getByRole("button", { name: "Preview" }));
  await screen.findByText("5 devices will be changed");
  expect(api.variablesOf("PreviewChange").map(({ filter, after }) => [filter, after])).toEqual(
    [null, "2", "4"].map((after) => [
      { state: "arrived", target: { account: "200000000002", region: "eu-west-1" } },
      after,
    ]),
  );
  fireEvent.click(screen.getByRole("button", { name: "Retry 5" }));
  await screen.findByText("5 changed");
});

test("offers no change of all devices without a filter", async () => {
  const { api } = ledger(claimed(2));
  await enter(api);
  await screen.findByText("sensor-1");
  expect(screen.queryByRole("button", { name: /^Change/ })).toBeNull();
});

test("shows what is refused and why, and does not send it", async () => {
  const { api } = ledger(claimed(3));
  answers(api, (each) => (each === certid(2) ? "REVOKED" : null));
  await enter(api);
  await screen.findByText("sensor-1");
  fireEvent.click(screen.getByRole("checkbox", { name: "Select all on this page" }));
  await begin("Change 3", /Release/);
  fireEvent.click(await screen.findByRole("button", { name: "Preview" }));
  const alert = within(await screen.findByRole("alert"));
  expect(alert.getByText("REVOKED")).toBeTruthy();
  expect(alert.getByRole("link", { name: "sensor-2" })).toBeTruthy();
  expect(screen.getByText("2 devices will be changed · 1 refused")).toBeTruthy();
  fireEvent.click(screen.getByRole("button", { name: "Release 2" }));
  await screen.findByText("2 changed");
  const sent = api.variablesOf("ChangeDevices")[0]?.devices as Chosen[];
  expect(sent.map((each) => each.certid)).toEqual([certid(1), certid(3)]);
});

test("reports a device that changed since the preview", async () => {
  const { api } = ledger(claimed(2));
  answers(api, NOBODY, (each) => (each === certid(2) ? "CHANGED_MEANWHILE" : null));
  await enter(api);
  await screen.findByText("sensor-1");
  pick("sensor-1");
  pick("sensor-2");
  await begin("Change 2", /Release/);
  fireEvent.click(await screen.findByRole("button", { name: "Preview" }));
  fireEvent.click(await screen.findByRole("button", { name: "Release 2" }));
  await screen.findByText("1 changed");
  const alert = within(screen.getByRole("alert"));
  expect(alert.getByText("1 not changed")).toBeTruthy();
  expect(alert.getByText("CHANGED_MEANWHILE")).toBeTruthy();
});

test("a revocation needs a reason, a move a target", { tags: "full" }, async () => {
  const { api } = ledger(claimed(1));
  answers(api);
  await enter(api);
  await screen.findByText("sensor-1");
  pick("sensor-1");
  await begin("Change 1", /Revoke/);
  const preview = () => screen.getByRole("button", { name: "Preview" }) as HTMLButtonElement;
  await waitFor(() => expect(preview().disabled).toBe(true));
  fireEvent.change(screen.getByRole("textbox", { name: /Reason/ }), { target: { value: "stolen" } });
  fireEvent.click(preview());
  fireEvent.click(await screen.findByRole("button", { name: "Revoke 1" }));
  await screen.findByText("1 changed");
  expect(api.variablesOf("ChangeDevices")[0]?.change).toEqual({ operation: "REVOKE", why: "stolen" });
  fireEvent.click(screen.getByRole("button", { name: "Done" }));
  await begin("Change 1", /Move/);
  const dialog = within(await screen.findByRole("dialog", { name: "Move 1 selected device" }));
  fireEvent.click(await dialog.findByRole("combobox", { name: "Target" }));
  fireEvent.click(await screen.findByRole("option", { name: /Sydney/ }));
  fireEvent.click(preview());
  fireEvent.click(await screen.findByRole("button", { name: "Move 1" }));
  await screen.findByText("1 changed");
  expect(api.variablesOf("ChangeDevices")[1]?.change).toEqual({
    operation: "MOVE",
    target: { account: "300000000003", region: "ap-southeast-2" },
  });
});

test("a lost request is sent again, because each device is changed only once", { tags: "full" }, async () => {
  const { api } = ledger(claimed(1));
  answers(api);
  await enter(api);
  await screen.findByText("sensor-1");
  pick("sensor-1");
  await begin("Change 1", /Release/);
  fireEvent.click(await screen.findByRole("button", { name: "Preview" }));
  const release = await screen.findByRole("button", { name: "Release 1" });
  api.answer("ChangeDevices", (_, nth) =>
    nth === 1
      ? LOST()
      : {
          changeDevices: {
            __typename: "BulkChange",
            results: [
              {
                __typename: "ChangeResult",
                certid: certid(1),
                ok: true,
                code: null,
                message: null,
                forgotten: false,
              },
            ],
          },
        },
  );
  fireEvent.click(release);
  await screen.findByText("1 changed", {}, { timeout: 3000 });
  expect(api.variablesOf("ChangeDevices").length).toBe(2);
});

test.each(["viewer", "technician"] as const)("a %s sees the list without changes", async (role) => {
  const { api } = ledger(claimed(2));
  await enter(api, "/devices?state=arrived", role);
  await screen.findByText("sensor-1");
  expect(screen.queryByRole("checkbox")).toBeNull();
  expect(screen.queryByRole("button", { name: /Change/ })).toBeNull();
});

test("waiting devices can be revoked or retried, not moved or released", async () => {
  const { api } = lobby(deviceLines(1, 3));
  await enterWaiting(api);
  await screen.findByText("sensor-1");
  pick("sensor-1");
  fireEvent.click(await screen.findByRole("button", { name: "More" }));
  const items = await screen.findAllByRole("menuitem");
  expect(items.map((item) => item.textContent)).toEqual(["Retry…", "Revoke…"]);
});
