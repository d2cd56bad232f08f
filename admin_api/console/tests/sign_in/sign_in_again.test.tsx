/** Signing in again over the page, in another window, keeps the page and sends what waited. */
import { MantineProvider } from "@mantine/core";
import { render, screen, waitFor } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { SignInPrompt, signInPrompt } from "../../src/sign_in/prompt";
import { passOn } from "../../src/sign_in/request";
import { SignInDialog } from "../../src/sign_in/sign_in_dialog";
import { signedIn } from "./departure";
import { answering, idToken, json, tokens } from "./user_pool";

beforeEach(() => {
  sessionStorage.clear();
  vi.spyOn(console, "warn").mockImplementation(() => {});
});
afterEach(() => signInPrompt.done());

test("requests wait until the user has signed in, and go on if they put it off", async () => {
  const prompt = new SignInPrompt();
  const sent: string[] = [];
  const wait = (name: string) => void prompt.ask().then(() => sent.push(name));
  wait("first");
  wait("second");
  await Promise.resolve();
  expect([prompt.state, sent]).toEqual(["open", []]);
  prompt.done();
  await waitFor(() => expect(sent).toEqual(["first", "second"]));
  wait("third");
  prompt.putOff();
  await waitFor(() => expect(sent).toContain("third"));
  await prompt.ask();
  expect(prompt.state).toBe("later");
});

test("only the window of another sign-in passes its answer on", () => {
  expect(passOn("?code=C&state=window.S")).toBe(true);
  for (const search of ["", "?code=C", "?code=C&state=S", "?tab=window."]) expect(passOn(search)).toBe(false);
});

/** The dialog after the session has ended; `open` receives the address of the other window. */
async function dialog(open: (address: URL) => unknown) {
  const { session } = await signedIn(json({ error: "invalid_grant" }, 400));
  await session.refresh().catch(() => undefined);
  vi.stubGlobal("open", vi.fn(open));
  render(
    <MantineProvider env="test">
      <input aria-label="Name" defaultValue="kept" />
      <SignInDialog session={session} />
    </MantineProvider>,
  );
  const waited = signInPrompt.ask();
  const user = userEvent.setup();
  await waitFor(async () =>
    expect(((await screen.findByRole("button", { name: "Sign in" })) as HTMLButtonElement).disabled).toBe(
      false,
    ),
  );
  return { session, waited, user };
}

/** The other window: sign in as `sub` and come back. */
function signInAs(sub: string) {
  return (address: URL) => {
    const { nonce, state } = Object.fromEntries(address.searchParams);
    answering(tokens({ access_token: "ACCESS-2", id_token: idToken({ nonce, sub }) }));
    passOn(`?${new URLSearchParams({ code: "C2", state: state ?? "" })}`);
    return {};
  };
}

test("goes on with the new token, and keeps the form", async () => {
  const { session, waited, user } = await dialog(signInAs("ada"));
  await user.click(screen.getByRole("button", { name: "Sign in" }));
  await waited;
  expect(session.accessToken).toBe("ACCESS-2");
  expect(signInPrompt.state).toBe("none");
  expect((screen.getByLabelText("Name") as HTMLInputElement).value).toBe("kept");
});

test("reloads for another user, to whom the page does not belong", async () => {
  const reload = vi.fn();
  const { user } = await dialog(signInAs("eve"));
  vi.stubGlobal("location", { origin: "https://lobby.test", reload });
  await user.click(screen.getByRole("button", { name: "Sign in" }));
  await waitFor(() => expect(reload).toHaveBeenCalledOnce());
  expect(signInPrompt.state).toBe("open");
});

test("explains a blocked window", async () => {
  const { user } = await dialog(() => null);
  await user.click(screen.getByRole("button", { name: "Sign in" }));
  expect((await screen.findByRole("alert")).textContent).toMatch(/has blocked the window/);
});

test("can be put off", async () => {
  const { session, waited, user } = await dialog(() => ({}));
  await user.click(screen.getByRole("button", { name: "Not now" }));
  await waited;
  expect(signInPrompt.state).toBe("later");
  const requests = answering();
  await expect(session.refresh()).rejects.toThrow();
  expect(requests).toEqual([]);
});
