/**
 * Whether the page asks the user to sign in again. Until then requests wait, and are then sent with the new
 * token. A user who postpones the sign-in keeps the page; requests fail until they sign in.
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

  /** Ask, and wait until the user has signed in or postponed it. */
  ask(): Promise<void> {
    if (this.#state === "later") return Promise.resolve();
    this.#become("open");
    return new Promise((resolve) => this.#waiting.push(resolve));
  }

  /** The user requests the sign-in. */
  open(): void {
    this.#become("open");
  }

  /** The user postpones the sign-in: waiting requests continue and fail. */
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
