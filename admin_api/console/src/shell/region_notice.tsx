/** Shows that this Region of the lobby accepts no changes now, and which one does. */
import { Alert } from "@mantine/core";
import { IconWorldOff } from "@tabler/icons-react";
import { type Refusal, useMe } from "../sign_in/me";

export function RegionNotice() {
  const { refusal } = useMe();
  if (!refusal) return null;
  return (
    <Alert role="status" color="yellow" p="xs" mb="sm" icon={<IconWorldOff aria-hidden />}>
      {textOf(refusal)}
    </Alert>
  );
}

function textOf({ region, home, code }: Refusal): string {
  if (code === "NOT_HOME" && home)
    return `This is the console of ${region}, which only shows data. Changes are made in ${home}, the home Region.`;
  if (code === "LEASE_EXPIRED" && home)
    return `No Region accepts changes now, because ${home}, the home Region, is down or can't be reached. Devices that have a route still get it. An admin can promote another Region.`;
  return "No Region of this lobby is home, so none accepts changes.";
}
