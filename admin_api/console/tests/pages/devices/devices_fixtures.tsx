/** A ledger with devices, and the page that lists them. */
import { fireEvent, screen } from "@testing-library/react";
import DevicesPage from "../../../src/pages/devices/devices_page";
import { FakeApi, show } from "../../fake_api";
import { counts, pageOf, TARGETS } from "../fixtures";

/** `total` is the count that the API returns with a page. */
export function ledger(devices: object[], total: number | null = null) {
  const state = { devices };
  const api = new FakeApi({
    Targets: TARGETS,
    Counts: counts({ arrived: 10_412, failed: 17 }, { TARGET_LIMIT: 3 }),
  });
  api.answer("Devices", (variables) => pageOf(state.devices, variables, total));
  return { api, state };
}

/** Starts with empty storage, unless the test fills it. */
export function enter(api: FakeApi, at = "/devices") {
  return show(<DevicesPage />, api, { at });
}

export const names = () =>
  screen.queryAllByRole("link", { name: /^sensor-/ }).map((link) => link.textContent);
export const lastRequest = (api: FakeApi) => api.variablesOf("Devices").at(-1);
export const type = (text: string) =>
  fireEvent.change(screen.getByRole("searchbox", { name: "Find a device" }), { target: { value: text } });
