/** What is possible without a network, said where there is none. */
import { Alert } from "@mantine/core";
import { useNetwork } from "@mantine/hooks";
import { IconWifiOff } from "@tabler/icons-react";
import { useSession } from "../../sign_in/gate";

export function OfflineNote({ person }: { person: string | null }) {
  const session = useSession();
  const { online } = useNetwork();
  if (session && online) return null;
  const whose = session
    ? ""
    : person === null
      ? ", once somebody has signed in"
      : `, in the name of ${person}`;
  return (
    <Alert role="status" color="yellow" p="xs" icon={<IconWifiOff aria-hidden />}>
      {session ? "No network." : "Opened without a network."} Claims are kept on this phone and sent when it
      is back{whose}.
    </Alert>
  );
}
