/** Saves a device's history as a signed file, which `lobby-verify` verifies without a network. */
import { Button, Group, Text } from "@mantine/core";
import { IconDownload } from "@tabler/icons-react";
import { useState } from "react";
import { useClient } from "urql";
import { failureOf, titleOf } from "../../api/failures";
import { saveFile } from "../../parts/save_file";
import { EXPORT_HISTORY } from "./device_query";

export function ExportButton({ certid }: { certid: string }) {
  const client = useClient();
  const [loading, setLoading] = useState(false);
  const [outcome, setOutcome] = useState("");

  const run = async () => {
    setLoading(true);
    setOutcome("");
    const { data, error } = await client
      .query(EXPORT_HISTORY, { certid }, { requestPolicy: "network-only" })
      .toPromise();
    setLoading(false);
    const found = data?.exportHistory;
    if (!found) return setOutcome(error ? `Not saved: ${titleOf(failureOf(error).code)}` : "Not saved");
    saveFile(found.content, found.fileName, "application/json");
    setOutcome(`Saved. Signed with the key ${found.key}`);
  };

  return (
    <Group gap="sm" mt="md">
      <Button
        variant="default"
        leftSection={<IconDownload size={18} aria-hidden />}
        loading={loading}
        onClick={() => void run()}
      >
        Download signed history
      </Button>
      {outcome && (
        <Text size="sm" c="dimmed" role="status" style={{ overflowWrap: "anywhere" }}>
          {outcome}
        </Text>
      )}
    </Group>
  );
}
