/** Claims the selected devices through the API and reports progress. */
import { useCallback } from "react";
import { useClient } from "urql";
import { graphql } from "../../api/graphql";
import type { Outcome } from "./bulk_claim";
import type { Group } from "./list_groups";
import { type Chunks, sentOf, useChunks } from "./use_chunks";

export const CLAIM_DEVICES = graphql(`
  mutation ClaimDevices(
    $certids: [ID!]!, $target: TargetInput!, $profile: String, $config: JSON, $expectedNames: [String]
  ) {
    claimDevices(
      certids: $certids, target: $target, profile: $profile, config: $config, expectedNames: $expectedNames
    ) {
      results { certid ok code message }
    }
  }
`);

export interface BulkClaim extends Omit<Chunks, "run"> {
  /** Claims the devices of all groups, one group after the other. */
  run: (groups: readonly Group[]) => Promise<readonly Outcome[]>;
}

export function useBulkClaim(): BulkClaim {
  const client = useClient();
  const { run: send, ...chunks } = useChunks();
  const run = useCallback(
    (groups: readonly Group[]) =>
      send(
        groups.map(({ certids, request, names }) => ({
          certids,
          send: async (chunk) => {
            const { data, error } = await client
              .mutation(CLAIM_DEVICES, { certids: [...chunk], ...request, ...expected(chunk, names) })
              .toPromise();
            return sentOf(data?.claimDevices.results, error);
          },
        })),
      ),
    [client, send],
  );
  return { ...chunks, run };
}

/** The expected names in the order of the devices; nothing if none of them has one. */
function expected(certids: readonly string[], names: Group["names"]): { expectedNames?: (string | null)[] } {
  if (!certids.some((certid) => names?.has(certid))) return {};
  return { expectedNames: certids.map((certid) => names?.get(certid) ?? null) };
}
