/** The empty lobby: how devices appear here, and where else to look. */

import { Anchor, Text } from "@mantine/core";
import { IconDoorEnter } from "@tabler/icons-react";
import { Link } from "wouter";
import { EmptyState } from "../../parts/empty_state";
import { pluralize } from "../../parts/numbers";
import { devicesAddress } from "../addresses";

export function EmptyLobby({ knocking }: { knocking: number | undefined }) {
  return (
    <EmptyState icon={<IconDoorEnter />} title="No devices waiting">
      <Text size="sm" mb="xs">
        A device appears here when it connects to the lobby, if its CA is registered and it is not claimed
        yet. This page updates automatically.
      </Text>
      <Text size="sm">
        {knocking !== undefined && knocking > 0 && (
          <>
            <Anchor
              component={Link}
              underline="always"
              href={devicesAddress({ state: "knocking" })}
              size="sm"
            >
              {pluralize(knocking, "device")} connecting
            </Anchor>{" "}
            should appear soon.{" "}
          </>
        )}
        Missing a device? It may have been{" "}
        <Anchor component={Link} underline="always" href={devicesAddress({ state: "refused" })} size="sm">
          refused
        </Anchor>{" "}
        or already{" "}
        <Anchor component={Link} underline="always" href={devicesAddress()} size="sm">
          claimed
        </Anchor>
        .
      </Text>
    </EmptyState>
  );
}
