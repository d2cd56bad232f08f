/** A notice after a claim, with a link to the devices. */

import { Alert, Anchor, Text } from "@mantine/core";
import { IconCheck } from "@tabler/icons-react";
import { Link } from "wouter";
import { formatNumber } from "../../parts/numbers";
import { keyOf, useTargets } from "../../parts/targets";
import { devicesAddress } from "../addresses";

export interface Claimed {
  count: number;
  /** `account/region`. */
  target: string;
}

export function ClaimedNotice({ claimed, onClose }: { claimed: Claimed; onClose: () => void }) {
  const { targets } = useTargets();
  const target = targets?.find((each) => keyOf(each) === claimed.target);
  const name = target?.name ?? claimed.target;
  const [account = "", region = ""] = claimed.target.split("/");
  return (
    <Alert
      role="status"
      color="green"
      icon={<IconCheck aria-hidden />}
      withCloseButton
      closeButtonLabel="Close"
      onClose={onClose}
      mb="sm"
      py="xs"
    >
      <Text size="sm">
        {formatNumber(claimed.count)} claimed for {name}.{" "}
        <Anchor
          component={Link}
          underline="always"
          href={devicesAddress({ target: { account, region } })}
          size="sm"
        >
          View in Devices
        </Anchor>
        {target?.presence &&
          " The claim takes effect after the presence code is entered on the device's page."}
      </Text>
    </Alert>
  );
}
