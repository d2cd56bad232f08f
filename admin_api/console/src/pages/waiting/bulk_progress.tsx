/** The progress of a bulk claim. */

import { Button, Group, Progress, Stack, Text } from "@mantine/core";
import { useState } from "react";
import { formatNumber } from "../../parts/numbers";
import type { BulkProgress } from "./bulk_claim";

export function BulkProgressView({ progress, onStop }: { progress: BulkProgress; onStop: () => void }) {
  const [stopping, setStopping] = useState(false);
  const done = progress.done.length;
  const all = done + progress.left;
  const failed = progress.done.filter((outcome) => !outcome.ok).length;
  const stop = () => {
    setStopping(true);
    onStop();
  };
  return (
    <Stack>
      <Progress.Root size="lg">
        <Progress.Section
          value={all === 0 ? 0 : (done / all) * 100}
          animated
          aria-label={`${done} of ${all} done`}
        />
      </Progress.Root>
      <Text size="sm" role="status">
        {formatNumber(done)} of {formatNumber(all)} done
        {failed > 0 && `, ${formatNumber(failed)} failed`}
      </Text>
      <Group justify="flex-end">
        <Button variant="default" onClick={stop} disabled={stopping}>
          {stopping ? "Stopping…" : "Stop"}
        </Button>
      </Group>
    </Stack>
  );
}
