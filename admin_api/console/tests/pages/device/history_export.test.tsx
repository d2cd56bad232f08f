/** The download of a device's signed history. */
import { fireEvent, screen, waitFor } from "@testing-library/react";
import { expect, test } from "vitest";
import { Refusal } from "../../fake_api";
import { savedFiles } from "../../saved_files";
import { deviceRecord, enter, ID } from "./device_fixtures";

const saved = savedFiles();

const KEY = `SHA256:${"ab".repeat(32)}`;
const found = { __typename: "HistoryExport", fileName: "history-07.json", content: '{"a":1}', key: KEY };
const download = async () =>
  fireEvent.click(await screen.findByRole("button", { name: "Download signed history" }));

test("saves the history as the lobby signed it, and names the key", async () => {
  const { api } = enter(deviceRecord());
  api.answer("ExportHistory", { exportHistory: found });
  await download();
  const file = { name: "history-07.json", type: "application/json", text: '{"a":1}' };
  await waitFor(() => expect(saved).toEqual([file]));
  expect((await screen.findByText(/Signed with the key/)).textContent).toContain(KEY);
  expect(api.variablesOf("ExportHistory")).toEqual([{ certid: ID }]);
});

test.each([new Refusal("HISTORY_TOO_LONG", "got 5000 entries"), { exportHistory: null }])(
  "states that nothing was saved",
  async (answer) => {
    const { api } = enter(deviceRecord());
    api.answer("ExportHistory", answer);
    await download();
    expect(await screen.findByText(/^Not saved/)).toBeTruthy();
    expect(saved).toEqual([]);
  },
);
