/** A lobby with waiting devices, and the page that lists them. */
import { fireEvent, screen } from "@testing-library/react";
import WaitingPage from "../../../src/pages/waiting/waiting_page";
import { FakeApi, type Role, show } from "../../fake_api";
import { pass } from "../clock";
import { bulkResult, counts, pageOf, TARGETS } from "../fixtures";

/** A lobby with the devices in `waiting`; bulkResult devices leave. */
export function lobby(
  waiting: { certid: string }[],
  refused: (certid: string) => string | null = () => null,
) {
  const state = { waiting };
  const api = new FakeApi({ Targets: TARGETS });
  api.answer("Counts", () => counts({ inlobby: state.waiting.length, knocking: 2 }));
  api.answer("Waiting", (variables) => pageOf(state.waiting, variables));
  api.answer("ClaimDevices", (variables) => {
    const answer = bulkResult(variables, refused);
    const gone = new Set(answer.claimDevices.results.filter((each) => each.ok).map((each) => each.certid));
    state.waiting = state.waiting.filter((each) => !gone.has(each.certid));
    return answer;
  });
  return { api, state };
}

export async function enter(api: FakeApi, role: Role = "operator") {
  show(<WaitingPage />, api, { role, at: "/waiting" });
  await screen.findByRole("heading", { name: "Waiting" });
}

export const names = () =>
  screen.queryAllByRole("link", { name: /^sensor-/ }).map((link) => link.textContent);
export const box = (name: string) => screen.getByRole("checkbox", { name: `Select ${name}` });
/** Until the next poll. */
export const poll = () => pass(3_100);

export async function chooseTarget(name: RegExp) {
  fireEvent.click(await screen.findByRole("combobox", { name: "Target" }));
  fireEvent.click(await screen.findByRole("option", { name }));
}
