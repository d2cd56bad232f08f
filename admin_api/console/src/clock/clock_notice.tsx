/** Shows that this device's clock is wrong, and by how much. */
import { Alert } from "@mantine/core";
import { IconClockExclamation } from "@tabler/icons-react";
import { clockText } from "./clock_text";
import { NOTICED_MS, useSkew } from "./server_clock";

export function ClockNotice() {
  const skewMs = useSkew();
  if (Math.abs(skewMs) < NOTICED_MS) return null;
  return (
    <Alert role="status" color="yellow" p="xs" mb="sm" icon={<IconClockExclamation aria-hidden />}>
      {clockText(skewMs)} This page uses the lobby's clock. Set date and time to automatic.
    </Alert>
  );
}
