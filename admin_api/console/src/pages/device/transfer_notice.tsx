/** The notice of a device that is offered to another lobby, was transferred there, or came from one. */
import { Alert, Stack, Text } from "@mantine/core";
import { IconArrowsExchange } from "@tabler/icons-react";
import type { ReactNode } from "react";
import { Day } from "../../parts/day";
import type { DeviceRecord } from "./device_query";

type Transfer = NonNullable<DeviceRecord["transfer"]>;

interface Props {
  transfer: Transfer | null;
  /** The button that withdraws an offer; false: the user may not. */
  action?: ReactNode;
}

export function TransferNotice({ transfer, action }: Props) {
  if (!transfer) return null;
  return (
    <Alert role="status" color="blue" icon={<IconArrowsExchange aria-hidden />} title={titleOf(transfer)}>
      <Stack gap="xs" align="flex-start">
        <Text size="sm">{textOf(transfer)}</Text>
        {transfer.step === "offered" && action}
      </Stack>
    </Alert>
  );
}

function titleOf({ step, partner, expired }: Transfer): string {
  if (step === "completed") return `Transferred to ${partner}`;
  if (step === "accepted") return `Accepted from ${partner}`;
  return expired ? `Was offered to ${partner}` : `Offered to ${partner}`;
}

function textOf({ step, expires, expired, endpoint, until, ended }: Transfer): ReactNode {
  if (step === "accepted") return "It came from another lobby, whose former owner has transferred it.";
  if (step === "completed" && ended) return `Its lobby is at ${endpoint}. Its certificate is inactive here.`;
  if (step === "completed")
    return (
      <>
        Its lobby is at {endpoint}. It is sent there when it connects here
        {until && (
          <>
            , until <Day at={until} />
          </>
        )}
        .
      </>
    );
  if (expired)
    return (
      <>
        The offer ended on <Day at={expires} />. Nothing has changed.
      </>
    );
  return (
    <>
      It keeps working until the transfer is completed. The offer ends on <Day at={expires} />.
    </>
  );
}
