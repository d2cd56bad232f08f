/** Claiming the devices of a file: the preview before, one request per target, and the results. */
import { screen, within } from "@testing-library/react";
import { expect, test } from "vitest";
import WaitingPage from "../../../src/pages/waiting/waiting_page";
import { FakeApi, Refusal, type Role, show } from "../../fake_api";
import { bulkResult, certid, counts, pageOf, TARGETS } from "../fixtures";

function open(role: Role = "operator") {
  const api = new FakeApi({
    Targets: TARGETS,
    Counts: counts({ inlobby: 0, knocking: 0 }),
    ClaimDevices: (variables) => bulkResult(variables, (each) => (each === certid(9) ? "REVOKED" : null)),
  });
  api.answer("Waiting", (variables) => pageOf([], variables));
  return { api, ...show(<WaitingPage />, api, { role }) };
}

async function choose(user: ReturnType<typeof open>["user"], content: string | Uint8Array<ArrayBuffer>) {
  await user.click(await screen.findByRole("button", { name: "Claim from file" }));
  await user.upload(await screen.findByLabelText("List of devices"), new File([content], "list.csv"));
  return within(await screen.findByRole("dialog"));
}

const LIST = [
  "certid;target",
  `${certid(1)};Rotterdam`,
  `${certid(2)};`,
  `${certid(3)};Sydney`,
  "1,23457E+11;Sydney",
  `${certid(4)};Mars`,
  "",
].join("\r\n");

test("previews the refused rows and sends nothing before the claim is confirmed", async () => {
  const { api, user } = open();
  const dialog = await choose(user, LIST);
  expect(await dialog.findByText("2 devices to claim, 3 rows refused")).toBeTruthy();
  const rows = within(dialog.getByRole("list", { name: "Refused rows" })).getAllByRole("listitem");
  expect(rows.map((row) => row.textContent?.match(/^Line (\d+): ([A-Z_]+)/)?.slice(1))).toEqual([
    ["3", "TARGET_MISSING"],
    ["5", "DAMAGED_NUMBER"],
    ["6", "UNKNOWN_TARGET"],
  ]);
  expect(api.variablesOf("ClaimDevices")).toEqual([]);
  await user.click(dialog.getByRole("combobox", { name: "Target" }));
  await user.click(await screen.findByRole("option", { name: /Rotterdam/ }));
  expect(await dialog.findByText("3 devices to claim, 2 rows refused")).toBeTruthy();
  await user.click(dialog.getByRole("button", { name: "Claim 3" }));
  await expect
    .poll(() => api.variablesOf("ClaimDevices"))
    .toEqual([
      { certids: [certid(1), certid(2)], target: { account: "200000000002", region: "eu-west-1" } },
      { certids: [certid(3)], target: { account: "300000000003", region: "ap-southeast-2" } },
    ]);
});

test("keeps the names of a manifest as the expected names of its devices", async () => {
  const { api, user } = open();
  const manifest = `fingerprint,thing_name,target\n${certid(1)},sensor-1,Sydney\n${certid(2)},,Sydney\n${certid(3)},,Rotterdam\n`;
  const dialog = await choose(user, manifest);
  await user.click(await dialog.findByRole("button", { name: "Claim 3" }));
  await expect
    .poll(() => api.variablesOf("ClaimDevices"))
    .toEqual([
      {
        certids: [certid(1), certid(2)],
        target: { account: "300000000003", region: "ap-southeast-2" },
        expectedNames: ["sensor-1", null],
      },
      { certids: [certid(3)], target: { account: "200000000002", region: "eu-west-1" } },
    ]);
});

test("shows which devices were not claimed, and tries only those again", async () => {
  const { api, user } = open();
  const dialog = await choose(user, `label,target\n${certid(8)},Sydney\n${certid(9)},Sydney\n`);
  await user.click(await dialog.findByRole("button", { name: "Claim 2" }));
  expect(await dialog.findByText("1 not claimed")).toBeTruthy();
  await user.click(dialog.getByRole("button", { name: "Try again" }));
  await expect
    .poll(() => api.variablesOf("ClaimDevices").map(({ certids }) => certids))
    .toEqual([[certid(8), certid(9)], [certid(9)]]);
});

test.each<[string, string | Uint8Array<ArrayBuffer>, RegExp]>([
  ["a workbook", new Uint8Array([0x50, 0x4b, 3, 4, 20]), /workbook or archive/],
  ["a misspelt column", `certid,traget\n${certid(1)},Sydney\n`, /column "traget"/],
  ["an empty file", "", /an empty file/],
])("explains %s, and takes another file", async (_, content, text) => {
  const { user } = open();
  const dialog = await choose(user, content);
  expect((await dialog.findByRole("alert")).textContent).toMatch(text);
  await user.click(dialog.getByRole("button", { name: "Choose another file" }));
  expect(await dialog.findByLabelText("List of devices")).toBeTruthy();
});

test("is not offered to a viewer", async () => {
  open("viewer");
  await screen.findByText("No devices waiting");
  expect(screen.queryByRole("button", { name: "Claim from file" })).toBeNull();
});

test("shows why the targets cannot be loaded, and loads them again", async () => {
  const { api, user } = open();
  api.answer("Targets", new Refusal("INTERNAL", "something failed"));
  const dialog = await choose(user, LIST);
  expect((await dialog.findByRole("alert")).textContent).toContain("INTERNAL");
  api.answer("Targets", TARGETS);
  await user.click(dialog.getByRole("button", { name: "Try again" }));
  expect(await dialog.findByText("2 devices to claim, 3 rows refused")).toBeTruthy();
});
