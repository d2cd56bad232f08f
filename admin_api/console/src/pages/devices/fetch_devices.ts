/** Requests a part of a query's devices from the API, uncached. */
import type { Client } from "urql";
import { type Failure, failureOf } from "../../api/failures";
import { DEVICES, type DeviceLine, type Extras } from "./device_line";
import type { Part } from "./fill_page";
import { filterOf, type ListQuery } from "./list_query";

/** The request failed. */
export class FetchFailed extends Error {
  constructor(readonly failure: Failure) {
    super(failure.message);
  }
}

const NOTHING: Failure = { code: "ERROR", message: "The API returned no devices." };

/**
 * Return at most `first` devices starting at `after`, and the total of the query if it is `counted` and known;
 * with the `extras` of each device.
 * Throws `FetchFailed`.
 */
export function deviceFetcher(client: Client, query: ListQuery, counted = false, extras: Extras = {}) {
  const filter = filterOf(query);
  return async (first: number, after: string | null): Promise<Part<DeviceLine>> => {
    const { data, error } = await client
      .query(
        DEVICES,
        {
          filter,
          first,
          after,
          ...(query.oldest && { order: "OLDEST_FIRST" as const }),
          ...(counted && { counted }),
          ...extras,
        },
        { requestPolicy: "network-only" },
      )
      .toPromise();
    if (!data) throw new FetchFailed(error ? failureOf(error) : NOTHING);
    const { nodes, pageInfo, total } = data.devices;
    return { nodes, next: pageInfo.hasNextPage ? pageInfo.endCursor : null, total: total ?? undefined };
  };
}
