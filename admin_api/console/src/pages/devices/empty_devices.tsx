/** The empty list: no devices at all, or no matches. */
import { Anchor, Button, Text } from "@mantine/core";
import { IconDevices, IconSearchOff } from "@tabler/icons-react";
import { Link } from "wouter";
import { EmptyState } from "../../parts/empty_state";

export function EmptyDevices({ filtered, onClear }: { filtered: boolean; onClear: () => void }) {
  if (!filtered)
    return (
      <EmptyState icon={<IconDevices />} title="No devices yet">
        Devices appear here when they connect to the lobby, or when they are{" "}
        <Anchor component={Link} underline="always" href="/claim" size="sm">
          claimed
        </Anchor>{" "}
        in advance.
      </EmptyState>
    );
  return (
    <EmptyState icon={<IconSearchOff />} title="No matches">
      <Text size="sm" mb="sm">
        Search matches the start of a name or fingerprint.
      </Text>
      <Button variant="default" onClick={onClear}>
        Clear filters
      </Button>
    </EmptyState>
  );
}
