/** Queries that stay true while somebody looks: asked again every few seconds, never while the page is hidden. */
import { useDocumentVisibility, useNetwork } from "@mantine/hooks";
import { useEffect } from "react";
import { type AnyVariables, type UseQueryArgs, type UseQueryResponse, useQuery } from "urql";

/** `everyMs` null: asked once, and again when the page comes back into view. */
export function useLiveQuery<Data, Variables extends AnyVariables>(
  args: UseQueryArgs<Variables, Data>,
  everyMs: number | null,
): UseQueryResponse<Data, Variables> {
  const visible = useDocumentVisibility() === "visible";
  const { online } = useNetwork();
  const answer = useQuery<Data, Variables>({ requestPolicy: "cache-and-network", ...args });
  const [{ fetching, stale }, again] = answer;
  const waiting = visible && online && !args.pause && everyMs !== null && !fetching && !stale;

  useEffect(() => {
    if (!waiting || everyMs === null) return;
    const timer = setTimeout(() => again({ requestPolicy: "network-only" }), everyMs);
    return () => clearTimeout(timer);
  }, [waiting, everyMs, again]);

  return answer;
}
