/** Claims the selected devices through the API and reports progress. */
import { useCallback } from "react";
import { useClient } from "urql";
import { graphql } from "../../api/graphql";
import type { Outcome } from "./bulk_claim";
import type { Group } from "./list_groups";
import { type Chunks, sentOf, useChunks } from "./use_chunks";

export const CLAIM_DEVICES = graphql(`
  mutation ClaimDevices($certids: [ID!]!, $target: TargetInput!, $profile: String, $config: JSON) {
    claimDevices(certids: $certids, target: $target, profile: $profile, config: $config) {
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
        groups.map(({ certids, request }) => ({
          certids,
          send: async (chunk) => {
            const { data, error } = await client
              .mutation(CLAIM_DEVICES, { certids: [...chunk], ...request })
              .toPromise();
            return sentOf(data?.claimDevices.results, error);
          },
        })),
      ),
    [client, send],
  );
  return { ...chunks, run };
}
