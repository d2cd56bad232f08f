/**
 * The queue of all claims made on this phone, online or offline. A claim is stored before it is sent, and its
 * result is stored before the next one is sent, so that nothing is lost with the network, the page or the
 * battery.
 *
 * A claim without a response is sent again. This is safe: repeating a claim has no effect, and the number of
 * attempts is stored, so that a claim released in the meantime is not repeated. One browser tab sends at a
 * time, in the order in which the claims were made.
 */
import type { Failure } from "../../../api/failures";
import type { ClaimStore } from "./claim_store";
import {
  answered,
  type DeviceClaim,
  type Entry,
  isExpired,
  nextToSend,
  type Outcome,
  redundant,
  resent,
} from "./entry";

export interface Claims {
  /** In the order in which they were made. */
  entries: readonly Entry[];
  /** The claim that is being sent. */
  sending: string | null;
  /** The failure of the last attempt. */
  lastFailure: Failure | null;
  /** False: the claims are lost when the page closes. */
  persistent: boolean;
  /** False until the store has been read. */
  loaded: boolean;
}

export interface QueueEnvironment {
  store: () => Promise<ClaimStore>;
  /** Runs `work` while no other tab does. */
  alone: <Result>(work: () => Promise<Result>) => Promise<Result>;
  /** Notifies other tabs that the store has changed. */
  notifyTabs: () => void;
  now: () => Date;
  /** A few random characters. */
  salt: () => string;
}

const NOTHING: Claims = { entries: [], sending: null, lastFailure: null, persistent: true, loaded: false };

export class ClaimQueue {
  readonly #environment: QueueEnvironment;
  readonly #listeners = new Set<() => void>();
  #store: Promise<ClaimStore> | undefined;
  #claims = NOTHING;

  constructor(environment: QueueEnvironment) {
    this.#environment = environment;
  }

  /** For `useSyncExternalStore`. */
  readonly subscribe = (listener: () => void): (() => void) => {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  };
  readonly claims = (): Claims => this.#claims;

  /** Reads the store, which another tab may have changed, and removes expired and redundant claims. */
  async load(): Promise<void> {
    const store = await this.#open();
    const all = await store.all();
    const ordered = all.sort((a, b) => (a.id < b.id ? -1 : 1));
    const superseded = redundant(ordered, this.#claims.sending);
    const over = ordered.filter(
      (entry) => isExpired(entry, this.#environment.now()) || superseded.has(entry.id),
    );
    for (const entry of over) await store.remove(entry.id);
    const entries = ordered.filter((entry) => !over.includes(entry));
    this.#show({ entries, persistent: store.persistent, loaded: true });
  }

  /** Stores claims to be sent as `user`. Replaces older rejected claims of the same devices. */
  async add(claims: readonly DeviceClaim[], user: string | null): Promise<void> {
    const made = this.#environment.now().toISOString();
    const store = await this.#open();
    for (const [index, claim] of claims.entries()) {
      const id = `${made} ${String(index).padStart(4, "0")} ${this.#environment.salt()}`;
      await store.put({ ...claim, id, by: user, madeAt: made, standing: "waiting", tries: 0 });
    }
    const certids = new Set(claims.map(({ certid }) => certid));
    for (const entry of this.#claims.entries)
      if (entry.standing === "refused" && entry.by === user && certids.has(entry.certid))
        await store.remove(entry.id);
    await this.#changed();
  }

  /** Sends a rejected claim again, or another user's claim as `user`, with consent. */
  async sendAgain(id: string, user: string | null): Promise<void> {
    const entry = this.#claims.entries.find((each) => each.id === id);
    if (!entry) return;
    await (await this.#open()).put(resent(entry, user));
    await this.#changed();
  }

  /** Removes a claim, except one that is being sent. */
  async remove(id: string): Promise<void> {
    if (id === this.#claims.sending) return;
    await (await this.#open()).remove(id);
    await this.#changed();
  }

  /** Sends the claims of `user` in order until none is left ("done") or the network is lost ("later"). */
  async send(user: string, deliver: (entry: Entry) => Promise<Outcome>): Promise<"done" | "later"> {
    for (;;) {
      const result = await this.#environment.alone(() => this.#sendNext(user, deliver));
      if (result !== "answered") return result;
    }
  }

  async #sendNext(
    user: string,
    deliver: (entry: Entry) => Promise<Outcome>,
  ): Promise<"answered" | "done" | "later"> {
    await this.load();
    const entry = nextToSend(this.#claims.entries, user);
    if (!entry) return "done";
    const store = await this.#open();
    const attempted = { ...entry, tries: entry.tries + 1 };
    await store.put(attempted);
    this.#show({ sending: entry.id });
    const outcome = await deliver(entry).finally(() => this.#show({ sending: null }));
    this.#show({ lastFailure: outcome.is === "later" ? outcome.lastFailure : null });
    if (outcome.is === "later") return "later";
    await store.put(answered(attempted, outcome, this.#environment.now()));
    await this.#changed();
    return "answered";
  }

  #open(): Promise<ClaimStore> {
    this.#store ??= this.#environment.store();
    return this.#store;
  }

  async #changed(): Promise<void> {
    this.#environment.notifyTabs();
    await this.load();
  }

  #show(part: Partial<Claims>): void {
    this.#claims = { ...this.#claims, ...part };
    for (const listener of this.#listeners) listener();
  }
}
