/**
 * Every claim made on this phone goes through here, with a network or without: it is on the shelf before it is sent, and
 * its answer is there before the next one goes. So a lost network, a closed page or a flat battery loses nothing.
 *
 * A claim whose answer was lost is sent again, and does no harm: for the same wish the API's claim is the same claim, and
 * that it was tried is on the shelf, so that one which was released since is not made anew. One tab of a browser sends at a time, in the order in which the claims were made.
 */
import type { Failure } from "../../../api/failures";
import {
  again,
  answered,
  type ClaimWish,
  type Entry,
  isOver,
  needless,
  nextToSend,
  type Outcome,
} from "./entry";
import type { Shelf } from "./shelf";

export interface Claims {
  /** In the order in which they were made. */
  entries: readonly Entry[];
  /** The one on its way just now. */
  sending: string | null;
  /** Why the last try got nowhere. */
  hindrance: Failure | null;
  /** False: what is here goes with the page. */
  lasting: boolean;
  /** False until the shelf was looked at. */
  known: boolean;
}

export interface Doors {
  shelf: () => Promise<Shelf>;
  /** Runs `work` while no other tab does. */
  alone: <Result>(work: () => Promise<Result>) => Promise<Result>;
  /** Tells the other tabs that the shelf has changed. */
  tellOthers: () => void;
  now: () => Date;
  /** A few random characters. */
  salt: () => string;
}

const NOTHING: Claims = { entries: [], sending: null, hindrance: null, lasting: true, known: false };

export class ClaimQueue {
  readonly #doors: Doors;
  readonly #listeners = new Set<() => void>();
  #shelf: Promise<Shelf> | undefined;
  #claims = NOTHING;

  constructor(doors: Doors) {
    this.#doors = doors;
  }

  /** For `useSyncExternalStore`. */
  readonly subscribe = (listener: () => void): (() => void) => {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  };
  readonly claims = (): Claims => this.#claims;

  /** Looks at the shelf, which another tab may have changed, and takes off what need not be sent. */
  async load(): Promise<void> {
    const shelf = await this.#open();
    const all = await shelf.all();
    const ordered = all.sort((a, b) => (a.id < b.id ? -1 : 1));
    const unwanted = needless(ordered, this.#claims.sending);
    const over = ordered.filter((entry) => isOver(entry, this.#doors.now()) || unwanted.has(entry.id));
    for (const entry of over) await shelf.remove(entry.id);
    const entries = ordered.filter((entry) => !over.includes(entry));
    this.#show({ entries, lasting: shelf.lasting, known: true });
  }

  /** Writes claims down, to be sent in the name of `person`. Older refusals of the same devices make room. */
  async add(wishes: readonly ClaimWish[], person: string | null): Promise<void> {
    const made = this.#doors.now().toISOString();
    const shelf = await this.#open();
    for (const [index, wish] of wishes.entries()) {
      const id = `${made} ${String(index).padStart(4, "0")} ${this.#doors.salt()}`;
      await shelf.put({ ...wish, id, by: person, madeAt: made, standing: "waiting", tries: 0 });
    }
    const certids = new Set(wishes.map(({ certid }) => certid));
    for (const entry of this.#claims.entries)
      if (entry.standing === "refused" && entry.by === person && certids.has(entry.certid))
        await shelf.remove(entry.id);
    await this.#changed();
  }

  /** Sends a refused claim again, or one of somebody else in the name of `person`, who has said so. */
  async sendAgain(id: string, person: string | null): Promise<void> {
    const entry = this.#claims.entries.find((each) => each.id === id);
    if (!entry) return;
    await (await this.#open()).put(again(entry, person));
    await this.#changed();
  }

  /** Takes one away: it has been seen to, or shall not be sent. What is on its way just now stays. */
  async remove(id: string): Promise<void> {
    if (id === this.#claims.sending) return;
    await (await this.#open()).remove(id);
    await this.#changed();
  }

  /** Sends what waits of `person`, one after the other, until nothing is left or the network is lost: then "later". */
  async send(person: string, deliver: (entry: Entry) => Promise<Outcome>): Promise<"done" | "later"> {
    for (;;) {
      const result = await this.#doors.alone(() => this.#sendNext(person, deliver));
      if (result !== "answered") return result;
    }
  }

  async #sendNext(
    person: string,
    deliver: (entry: Entry) => Promise<Outcome>,
  ): Promise<"answered" | "done" | "later"> {
    await this.load();
    const entry = nextToSend(this.#claims.entries, person);
    if (!entry) return "done";
    const shelf = await this.#open();
    const tried = { ...entry, tries: entry.tries + 1 };
    await shelf.put(tried);
    this.#show({ sending: entry.id });
    const outcome = await deliver(entry).finally(() => this.#show({ sending: null }));
    this.#show({ hindrance: outcome.is === "later" ? outcome.hindrance : null });
    if (outcome.is === "later") return "later";
    await shelf.put(answered(tried, outcome, this.#doors.now()));
    await this.#changed();
    return "answered";
  }

  #open(): Promise<Shelf> {
    this.#shelf ??= this.#doors.shelf();
    return this.#shelf;
  }

  async #changed(): Promise<void> {
    this.#doors.tellOthers();
    await this.load();
  }

  #show(part: Partial<Claims>): void {
    this.#claims = { ...this.#claims, ...part };
    for (const listener of this.#listeners) listener();
  }
}
