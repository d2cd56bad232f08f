/** No device to show: because there is none at all, or because none fits what was asked. */
import { Anchor, Button, Text } from "@mantine/core";
import { IconDevices, IconSearchOff } from "@tabler/icons-react";
import { Link } from "wouter";
import { EmptyState } from "../../parts/empty_state";

export function EmptyDevices({ filtered, onClear }: { filtered: boolean; onClear: () => void }) {
  if (!filtered)
    return (
      <EmptyState icon={<IconDevices />} title="No devices yet">
        A device is here once it has knocked at the lobby, or was{" "}
        <Anchor component={Link} underline="always" href="/claim" size="sm">
          claimed
        </Anchor>{" "}
        before that.
      </EmptyState>
    );
  return (
    <EmptyState icon={<IconSearchOff />} title="No device fits">
      <Text size="sm" mb="sm">
        None is in the ledger for which all of this holds. Names and fingerprints are found by how they begin.
      </Text>
      <Button variant="default" onClick={onClear}>
        Clear the filters
      </Button>
    </EmptyState>
  );
}
