/** Nobody waits: how devices get here, and where else to look. */

import { Anchor, Text } from "@mantine/core";
import { IconDoorEnter } from "@tabler/icons-react";
import { Link } from "wouter";
import { EmptyState } from "../../parts/empty_state";
import { whole } from "../../parts/numbers";
import { devicesAddress } from "../addresses";

export function EmptyLobby({ knocking }: { knocking: number | undefined }) {
  return (
    <EmptyState icon={<IconDoorEnter />} title="Nobody waits">
      <Text size="sm" mb="xs">
        A device appears here by itself as soon as it is powered on and reaches the lobby, if the CA of its
        certificate is registered and nobody has claimed it yet. This page stays up to date.
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
              {knocking === 1 ? "1 device is" : `${whole(knocking)} devices are`} knocking
            </Anchor>{" "}
            and should be here soon.{" "}
          </>
        )}
        Is one missing? It may be among those that were{" "}
        <Anchor component={Link} underline="always" href={devicesAddress({ state: "refused" })} size="sm">
          refused
        </Anchor>
        , or have been{" "}
        <Anchor component={Link} underline="always" href={devicesAddress()} size="sm">
          claimed
        </Anchor>{" "}
        before.
      </Text>
    </EmptyState>
  );
}
