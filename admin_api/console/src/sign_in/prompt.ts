/**
 * Whether the user is asked to sign in again over the page. Requests wait meanwhile and are then sent with the
 * new token. A user who puts it off keeps the page; requests fail until they sign in.
 */
import { useSyncExternalStore } from "react";

export type PromptState = "none" | "open" | "later";

export class SignInPrompt {
  #state: PromptState = "none";
  #waiting: (() => void)[] = [];
  readonly #listeners = new Set<() => void>();

  get state(): PromptState {
    return this.#state;
  }

  /** Ask, and wait until the user has signed in or has put it off. */
  ask(): Promise<void> {
    if (this.#state === "later") return Promise.resolve();
    this.#become("open");
    return new Promise((resolve) => this.#waiting.push(resolve));
  }

  /** The user asks for it. */
  open(): void {
    this.#become("open");
  }

  /** The user puts it off: requests that wait go on, and fail. */
  putOff(): void {
    this.#become("later");
    this.#release();
  }

  /** The user has signed in. */
  done(): void {
    this.#become("none");
    this.#release();
  }

  readonly subscribe = (listener: () => void): (() => void) => {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  };

  #release(): void {
    for (const resolve of this.#waiting.splice(0)) resolve();
  }

  #become(state: PromptState): void {
    this.#state = state;
    for (const listener of this.#listeners) listener();
  }
}

export const signInPrompt = new SignInPrompt();

export function usePrompt(): PromptState {
  return useSyncExternalStore(signInPrompt.subscribe, () => signInPrompt.state);
}
