/** How far a claim of many devices has come. */

import { Button, Group, Progress, Stack, Text } from "@mantine/core";
import { useState } from "react";
import { whole } from "../../parts/numbers";
import type { Course } from "./bulk_claim";

export function ClaimCourse({ course, onStop }: { course: Course; onStop: () => void }) {
  const [stopping, setStopping] = useState(false);
  const done = course.done.length;
  const all = done + course.left;
  const failed = course.done.filter((outcome) => !outcome.ok).length;
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
        {whole(done)} of {whole(all)} done
        {failed > 0 && `, ${whole(failed)} of them not claimed`}
      </Text>
      <Group justify="flex-end">
        <Button variant="default" onClick={stop} disabled={stopping}>
          {stopping ? "Stopping…" : "Stop"}
        </Button>
      </Group>
    </Stack>
  );
}
