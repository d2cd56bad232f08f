/** Changes previewed devices through the API, each in the generation and state that was shown, and reports progress. */
import { useCallback } from "react";
import { useClient } from "urql";
import type { Outcome } from "../waiting/bulk_claim";
import { type Chunks, sentOf, useChunks } from "../waiting/use_chunks";
import type { Change } from "./change";
import { CHANGE_DEVICES, type Previewed } from "./operations";

export interface BulkChange extends Omit<Chunks, "run" | "reset"> {
  run: (devices: readonly Previewed[], change: Change) => Promise<readonly Outcome[]>;
}

export function useBulkChange(): BulkChange {
  const client = useClient();
  const { progress, running, stop, run: send } = useChunks();
  const run = useCallback(
    (devices: readonly Previewed[], change: Change) => {
      const shown = new Map(devices.map((each) => [each.certid, each]));
      const sendChunk = async (chunk: readonly string[]) => {
        const sent = chunk.map((certid) => {
          const each = shown.get(certid);
          return { certid, generation: each?.generation ?? 0, devstate: each?.device?.devstate ?? null };
        });
        const { data, error } = await client.mutation(CHANGE_DEVICES, { change, devices: sent }).toPromise();
        return sentOf(data?.changeDevices.results, error);
      };
      return send([{ certids: [...shown.keys()], send: sendChunk }]);
    },
    [client, send],
  );
  return { progress, running, stop, run };
}
