/**
 * Where claims are kept on this phone: IndexedDB, through idb-keyval, one row for each. A browser that keeps nothing
 * (some do so in private windows) gets a shelf that lasts as long as the page, and says so.
 */
import { createStore, del, set, values } from "idb-keyval";
import type { Entry } from "./entry";

export interface Shelf {
  /** Whether it outlasts the page. */
  lasting: boolean;
  all: () => Promise<Entry[]>;
  put: (entry: Entry) => Promise<void>;
  remove: (id: string) => Promise<void>;
}

const DATABASE = "device-lobby";
const STORE = "claims";

export async function openShelf(): Promise<Shelf> {
  try {
    const store = createStore(DATABASE, STORE);
    await values(store);
    return {
      lasting: true,
      all: () => values<Entry>(store),
      put: (entry) => set(entry.id, entry, store),
      remove: (id) => del(id, store),
    };
  } catch {
    return passingShelf();
  }
}

export function passingShelf(): Shelf {
  const entries = new Map<string, Entry>();
  return {
    lasting: false,
    all: async () => [...entries.values()],
    put: async (entry) => void entries.set(entry.id, entry),
    remove: async (id) => void entries.delete(id),
  };
}
