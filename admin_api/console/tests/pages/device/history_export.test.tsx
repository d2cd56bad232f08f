/** The download of a device's signed history. */
import { fireEvent, screen, waitFor } from "@testing-library/react";
import { beforeEach, expect, test, vi } from "vitest";
import { saveFile } from "../../../src/parts/save_file";
import { Refusal } from "../../fake_api";
import { deviceRecord, enter, ID } from "./device_fixtures";

vi.mock("../../../src/parts/save_file", () => ({ saveFile: vi.fn() }));
beforeEach(() => vi.mocked(saveFile).mockClear());

const KEY = `SHA256:${"ab".repeat(32)}`;
const found = { __typename: "HistoryExport", fileName: "history-07.json", content: '{"a":1}', key: KEY };
const download = async () =>
  fireEvent.click(await screen.findByRole("button", { name: "Download signed history" }));

test("saves the history as the lobby signed it, and names the key", async () => {
  const { api } = enter(deviceRecord());
  api.answer("ExportHistory", { exportHistory: found });
  await download();
  await waitFor(() =>
    expect(saveFile).toHaveBeenCalledWith('{"a":1}', "history-07.json", "application/json"),
  );
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
    expect(saveFile).not.toHaveBeenCalled();
  },
);
