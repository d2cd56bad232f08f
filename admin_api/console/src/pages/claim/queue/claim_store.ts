/**
 * Stores claims on this phone in IndexedDB (idb-keyval), one row per claim. If the browser blocks storage, as
 * some do in private windows, the claims are kept in memory until the page closes.
 */
import { createStore, del, set, values } from "idb-keyval";
import type { Entry } from "./entry";

export interface ClaimStore {
  /** Whether it survives closing the page. */
  persistent: boolean;
  all: () => Promise<Entry[]>;
  put: (entry: Entry) => Promise<void>;
  remove: (id: string) => Promise<void>;
}

const DATABASE = "device-lobby";
const STORE = "claims";

export async function openClaimStore(): Promise<ClaimStore> {
  try {
    const store = createStore(DATABASE, STORE);
    await values(store);
    return {
      persistent: true,
      all: () => values<Entry>(store),
      put: (entry) => set(entry.id, entry, store),
      remove: (id) => del(id, store),
    };
  } catch {
    return memoryClaimStore();
  }
}

export function memoryClaimStore(): ClaimStore {
  const entries = new Map<string, Entry>();
  return {
    persistent: false,
    all: async () => [...entries.values()],
    put: async (entry) => void entries.set(entry.id, entry),
    remove: async (id) => void entries.delete(id),
  };
}
