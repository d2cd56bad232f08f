/** Typing the code that a device shows: what is taken, what is sent, what is said of a wrong one. */
import { screen } from "@testing-library/react";
import { describe, expect, test, vi } from "vitest";
import { bareCode, isCode, PresenceCode } from "../../src/parts/presence_code";
import { type Answer, FakeApi, LOST, Refusal, show } from "../fake_api";

const CERTID = "a1".repeat(32);
const RIGHT: Answer = { confirmPresence: { __typename: "Device", certid: CERTID, devstate: "claimed" } };
const WRONG = new Refusal("WRONG_CODE", "got a code that is not the device's; 4 left to try");

function enter(answer: Answer, more: object = {}, may = true) {
  const api = new FakeApi({ ConfirmPresence: answer });
  const onTold = vi.fn();
  const device = { certid: CERTID, showsCode: true, triesLeft: 5, message: null, ...more };
  const { person } = show(<PresenceCode device={device} may={may} onTold={onTold} />, api);
  return { api, person, onTold };
}

const field = () => screen.getByRole("textbox", { name: "Code on the device" }) as HTMLInputElement;
const button = () => screen.getByRole("button", { name: "Confirm" }) as HTMLButtonElement;

describe("what is a code", () => {
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
  ])("%j is none", (typed) => expect(isCode(typed)).toBe(false));
});

test("a code is sent without its spaces, and the device is looked at again", async () => {
  const { api, person, onTold } = enter(RIGHT);
  expect(button().disabled).toBe(true);
  await person.type(field(), "4829 1375{Enter}");
  await vi.waitFor(() => expect(onTold).toHaveBeenCalledOnce());
  expect(api.variablesOf("ConfirmPresence")).toEqual([{ certid: CERTID, code: "48291375" }]);
});

test("a wrong one is said to be wrong, and is to be typed anew", async () => {
  const { person, onTold } = enter(WRONG);
  await person.type(field(), "00000000");
  await person.click(button());
  expect(await screen.findByText("That is not the code that it shows")).toBeTruthy();
  expect(field().value).toBe("");
  expect(onTold).toHaveBeenCalledOnce();
});

test("without a network nothing is lost", async () => {
  const { person } = enter(LOST);
  await person.type(field(), "48291375");
  await person.click(button());
  expect(await screen.findByRole("alert")).toBeTruthy();
  expect(field().value).toBe("48291375");
});

test("how many tries are left is said once one was wrong", () => {
  enter(RIGHT, { triesLeft: 1 });
  expect(screen.getByText(/One try is left/)).toBeTruthy();
});

test("a device that shows none is said to, and nothing can be typed", () => {
  enter(RIGHT, { showsCode: false, message: "its client does not show codes: update it" });
  expect(screen.getByText(/update it/)).toBeTruthy();
  expect(screen.queryByRole("textbox")).toBeNull();
});

test("one that was not heard of yet is to be switched on", () => {
  enter(RIGHT, { showsCode: null });
  expect(screen.getByText(/Power it on/)).toBeTruthy();
  expect(field()).toBeTruthy();
});

test("who may not confirm types nothing", () => {
  enter(RIGHT, {}, false);
  expect(screen.queryByRole("textbox")).toBeNull();
});
