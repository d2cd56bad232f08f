/** Queries that are repeated every few seconds while the page is visible. */
import { useDocumentVisibility, useNetwork } from "@mantine/hooks";
import { useEffect, useRef } from "react";
import {
  type AnyVariables,
  type UseQueryArgs,
  type UseQueryResponse,
  type UseQueryState,
  useQuery,
} from "urql";

/**
 * Also repeats the query when the page becomes visible or the network returns. If `everyMs` is null, it is
 * repeated only then.
 */
export function useLiveQuery<Data, Variables extends AnyVariables>(
  args: UseQueryArgs<Variables, Data>,
  everyMs: number | null,
): UseQueryResponse<Data, Variables> {
  const visible = useDocumentVisibility() === "visible";
  const { online } = useNetwork();
  const answer = useQuery<Data, Variables>({ requestPolicy: "cache-and-network", ...args });
  const [{ fetching, stale }, again] = answer;
  const present = visible && online;
  const waiting = present && !args.pause && everyMs !== null && !fetching && !stale;

  const wasAway = useRef(false);
  useEffect(() => {
    if (present && wasAway.current && !args.pause) again({ requestPolicy: "network-only" });
    wasAway.current = !present;
  }, [present, args.pause, again]);

  useEffect(() => {
    if (!waiting || everyMs === null) return;
    const timer = setTimeout(() => again({ requestPolicy: "network-only" }), everyMs);
    return () => clearTimeout(timer);
  }, [waiting, everyMs, again]);

  return [{ ...answer[0], data: useLastData(answer[0]) }, again];
}

/** The last successful result of the same query, so that a failed poll does not clear the page. */
function useLastData<Data, Variables extends AnyVariables>(
  state: UseQueryState<Data, Variables>,
): Data | undefined {
  const { data, operation } = state;
  const last = useRef<{ key: number | undefined; data: Data }>(undefined);
  if (data) last.current = { key: operation?.key, data };
  return data ?? (last.current?.key === operation?.key ? last.current?.data : undefined);
}
