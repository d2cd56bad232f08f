import { MantineProvider } from "@mantine/core";
import { render, screen } from "@testing-library/react";
import { describe, expect, test } from "vitest";
import { TransferNotice } from "../../../src/pages/device/transfer_notice";
import { day } from "../../../src/parts/day";
import { OFFERED } from "./device_fixtures";

const COMPLETED = { ...OFFERED, step: "completed", endpoint: "b.example", until: "2027-05-29T00:00:00.000Z" };

type Shown = Parameters<typeof TransferNotice>[0]["transfer"];

function show(transfer: Shown) {
  render(
    <MantineProvider env="test">
      <TransferNotice transfer={transfer} />
    </MantineProvider>,
  );
}

describe("the transfer of a device", () => {
  test.each([
    [OFFERED, "Offered to Bob Ltd", `ends on ${day(OFFERED.expires)}.`],
    [{ ...OFFERED, expired: true }, "Was offered to Bob Ltd", "Nothing has changed"],
    [COMPLETED, "Transferred to Bob Ltd", `until ${day(COMPLETED.until)}.`],
    [{ ...COMPLETED, ended: true }, "Transferred to Bob Ltd", "inactive here"],
    [{ ...OFFERED, step: "accepted" }, "Accepted from Bob Ltd", "another lobby"],
  ])("is shown with its step", (transfer, title, text) => {
    show(transfer);
    const notice = screen.getByRole("status");
    expect(notice.textContent).toContain(title);
    expect(notice.textContent).toContain(text);
  });

  test("is not shown without one", () => {
    show(null);
    expect(screen.queryByRole("status")).toBeNull();
  });
});
