/** Loads the page of a query, and reloads it every 10 seconds while it is visible. */
import { useCallback, useState } from "react";
import { type Client, useClient } from "urql";
import type { Failure } from "../../api/failures";
import { usePolling } from "../../api/polling";
import type { DeviceLine, Extras } from "./device_line";
import { deviceFetcher, FetchFailed } from "./fetch_devices";
import { type FilledPage, fillPage } from "./fill_page";
import { type ListQuery, listAddress } from "./list_query";
import { isCountedByList } from "./position";

const EVERY_MS = 10_000;
const MAX_CACHED = 50;

export interface Page extends FilledPage<DeviceLine> {
  at: Date;
}

export interface PageState {
  /** Of this query; undefined: not loaded yet. */
  page: Page | undefined;
  failure: Failure | undefined;
  refresh: () => void;
}

interface Fetched {
  key: string;
  page: Page | undefined;
  failure?: Failure;
}

/** Cached pages, so that a user who returns finds the same list and scroll position. */
const cached = new WeakMap<Client, Map<string, Page>>();

/** `hellos`, `renewals`: with these extras of each device. */
export function usePage(query: ListQuery, hellos: boolean, renewals: boolean): PageState {
  const client = useClient();
  const key = `${listAddress(query)} ${hellos} ${renewals}`;
  const [fetched, setFound] = useState<Fetched>({ key, page: undefined });
  const [again, setAgain] = useState(0);

  const refresh = useCallback(
    async (isCurrent: () => boolean) => {
      try {
        const page = { ...(await pageOf(client, query, hellos, renewals)), at: new Date() };
        cache(client, key, page);
        if (isCurrent()) setFound({ key, page });
      } catch (error) {
        if (!(error instanceof FetchFailed)) throw error;
        const { failure } = error;
        if (isCurrent())
          setFound((before) => ({ key, page: before.key === key ? before.page : undefined, failure }));
      }
    },
    [client, query, key, hellos, renewals],
  );
  usePolling(EVERY_MS, refresh, `${key} ${again}`);

  const mine = fetched.key === key ? fetched : undefined;
  return {
    page: mine?.page ?? cached.get(client)?.get(key),
    failure: mine?.failure,
    refresh: () => setAgain((count) => count + 1),
  };
}

async function pageOf(
  client: Client,
  query: ListQuery,
  hellos: boolean,
  renewals: boolean,
): Promise<FilledPage<DeviceLine>> {
  const extras: Extras = { ...(hellos && { hellos }), ...(renewals && { renewals }) };
  return fillPage(deviceFetcher(client, query, isCountedByList(query), extras), query.size, query.after);
}

function cache(client: Client, key: string, page: Page): void {
  const pages = cached.get(client) ?? new Map<string, Page>();
  pages.delete(key);
  pages.set(key, page);
  const [oldest] = pages.keys();
  if (pages.size > MAX_CACHED && oldest !== undefined) pages.delete(oldest);
  cached.set(client, pages);
}
