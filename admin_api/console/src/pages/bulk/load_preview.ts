/** Loads the preview of a change, of a list in chunks or of a filter page by page. Changes nothing. */
import type { Client } from "urql";
import { failureOf } from "../../api/failures";
import { FetchFailed } from "../devices/fetch_devices";
import type { filterOf } from "../devices/list_query";
import type { Change } from "./change";
import { PREVIEW_CHANGE, type Previewed } from "./operations";

/** Devices per request. The API accepts 1,000, but smaller pages show progress. */
export const PREVIEW_PAGE = 200;
/** The maximum number of devices that are changed together here. `lobbyctl` has no limit. */
export const MAX_DEVICES = 10_000;

export type Filter = NonNullable<ReturnType<typeof filterOf>>;
/** Which devices: a selection, or all that match a filter. */
export type Chosen = { certids: readonly string[] } | { filter: Filter };

export interface LoadedPreview {
  devices: readonly Previewed[];
  /** Whether more devices match than `MAX_DEVICES`. */
  cut: boolean;
}

/** Return the previews, each device once. Throws `FetchFailed`. `onProgress` returns false to stop. */
export async function loadPreview(
  client: Client,
  change: Change,
  chosen: Chosen,
  onProgress: (count: number) => boolean,
): Promise<LoadedPreview> {
  const found = new Map<string, Previewed>();
  const pages = "certids" in chosen ? listed(chosen.certids) : matching(chosen.filter);
  for (let step = pages.next(); !step.done; ) {
    const { data, error } = await client
      .query(
        PREVIEW_CHANGE,
        { change, first: PREVIEW_PAGE, ...step.value },
        { requestPolicy: "network-only" },
      )
      .toPromise();
    if (!data)
      throw new FetchFailed(
        error ? failureOf(error) : { code: "ERROR", message: "The API returned no preview." },
      );
    for (const each of data.previewChange.devices) if (!found.has(each.certid)) found.set(each.certid, each);
    if (!onProgress(found.size)) break;
    const { hasNextPage, endCursor } = data.previewChange.pageInfo;
    if (found.size >= MAX_DEVICES && hasNextPage) return { devices: [...found.values()], cut: true };
    step = pages.next(hasNextPage ? endCursor : null);
  }
  return { devices: [...found.values()], cut: false };
}

interface PageVariables {
  devices?: { certid: string }[];
  filter?: Filter;
  after?: string | null;
}

function* listed(certids: readonly string[]): Generator<PageVariables, void, string | null> {
  for (let start = 0; start < certids.length; start += PREVIEW_PAGE)
    yield { devices: certids.slice(start, start + PREVIEW_PAGE).map((certid) => ({ certid })) };
}

function* matching(filter: Filter): Generator<PageVariables, void, string | null> {
  let after: string | null = null;
  do {
    after = yield { filter, after };
  } while (after !== null);
}
