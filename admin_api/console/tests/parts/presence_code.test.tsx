/** Typing the presence code: validation, request, and wrong codes. */
import { screen } from "@testing-library/react";
import { describe, expect, test, vi } from "vitest";
import { bareCode, isCode, PresenceCode } from "../../src/parts/presence_code";
import { type Answer, FakeApi, LOST, Refusal, show } from "../fake_api";

const CERTID = "a1".repeat(32);
const RIGHT: Answer = { confirmPresence: { __typename: "Device", certid: CERTID, devstate: "claimed" } };
const WRONG = new Refusal("WRONG_CODE", "got a code that is not the device's; 4 left to try");

function enter(answer: Answer, more: object = {}, may = true) {
  const api = new FakeApi({ ConfirmPresence: answer });
  const onAnswered = vi.fn();
  const device = { certid: CERTID, showsCode: true, triesLeft: 5, ...more };
  const { user } = show(<PresenceCode device={device} may={may} onAnswered={onAnswered} />, api);
  return { api, user, onAnswered };
}

const field = () => screen.getByRole("textbox", { name: "Presence code" }) as HTMLInputElement;
const button = () => screen.getByRole("button", { name: "Confirm" }) as HTMLButtonElement;

describe("validation", () => {
  test.each(["48291375", "4829 1375", "4829-1375", " 48291375 "])("%j", (typed) => {
    expect(isCode(typed)).toBe(true);
    expect(bareCode(typed)).toBe("48291375");
  });
  test.each([
    "",
    "4829137",
    "482913755",
    "4829137a",
    "\uff14\uff18\uff12\uff19\uff11\uff13\uff17\uff15",
    "+48291375",
  ])("rejects %j", (typed) => expect(isCode(typed)).toBe(false));
});

test("sends the code without spaces and reloads the device", async () => {
  const { api, user, onAnswered } = enter(RIGHT);
  expect(button().disabled).toBe(true);
  await user.type(field(), "4829 1375{Enter}");
  await vi.waitFor(() => expect(onAnswered).toHaveBeenCalledOnce());
  expect(api.variablesOf("ConfirmPresence")).toEqual([{ certid: CERTID, code: "48291375" }]);
});

test("reports a wrong code above the field, clears it and scrolls it into view", async () => {
  const scroll = vi.spyOn(Element.prototype, "scrollIntoView");
  const { user, onAnswered } = enter(WRONG, { triesLeft: 4 });
  await user.type(field(), "00000000");
  await user.click(button());
  const message = await screen.findByText("Wrong code. 4 attempts left. Then the claim ends.");
  expect(screen.getAllByText(/4 attempts left/)).toEqual([message]);
  expect(message.compareDocumentPosition(field()) & Node.DOCUMENT_POSITION_FOLLOWING).toBeTruthy();
  expect(scroll.mock.contexts).toContain(field());
  expect(document.activeElement).toBe(field());
  expect(field().getAttribute("aria-invalid")).toBe("true");
  expect(field().value).toBe("");
  expect(onAnswered).toHaveBeenCalledOnce();
});

test("keeps the input when the network is lost", async () => {
  const { user } = enter(LOST);
  await user.type(field(), "48291375");
  await user.click(button());
  expect(await screen.findByRole("alert")).toBeTruthy();
  expect(field().value).toBe("48291375");
});

test("shows the remaining attempts after a wrong code", () => {
  enter(RIGHT, { triesLeft: 1 });
  expect(screen.getByText(/1 attempt left/)).toBeTruthy();
});

test("asks to power on a device without a hello", () => {
  enter(RIGHT, { showsCode: null });
  expect(screen.getByText(/Power it on/)).toBeTruthy();
  expect(field()).toBeTruthy();
});

test("hides the field from users who may not confirm", () => {
  enter(RIGHT, {}, false);
  expect(screen.queryByRole("textbox")).toBeNull();
});
