/** Saves the outcome of each device of a campaign as a CSV file. */
import { Button, Text } from "@mantine/core";
import { IconDownload } from "@tabler/icons-react";
import { useState } from "react";
import { useClient } from "urql";
import { failureOf, titleOf } from "../../api/failures";
import { formatNumber } from "../../parts/numbers";
import { saveFile } from "../../parts/save_file";
import { CAMPAIGN_RESULTS, type Result } from "./operations";
import { csvOf } from "./texts";

export function ResultsButton({ name }: { name: string }) {
  const client = useClient();
  /** Null: not running. */
  const [count, setCount] = useState<number | null>(null);
  const [failed, setFailed] = useState("");

  const run = async () => {
    setFailed("");
    const results: Result[] = [];
    let after: string | null = null;
    do {
      setCount(results.length);
      const { data, error } = await client
        .query(CAMPAIGN_RESULTS, { name, after }, { requestPolicy: "network-only" })
        .toPromise();
      if (error || !data) {
        setFailed(error ? `Not saved: ${titleOf(failureOf(error).code)}` : "Not saved");
        return setCount(null);
      }
      results.push(...data.campaignResults.nodes);
      after = data.campaignResults.pageInfo.hasNextPage ? data.campaignResults.pageInfo.endCursor : null;
    } while (after !== null);
    setCount(null);
    saveFile(csvOf(results), `campaign-${name}.csv`, "text/csv;charset=utf-8");
  };

  return (
    <>
      <Button
        variant="default"
        leftSection={<IconDownload size={18} aria-hidden />}
        loading={count !== null}
        aria-label={`Results of ${name}`}
        onClick={() => void run()}
      >
        Results
      </Button>
      {(failed || (count ?? 0) > 0) && (
        <Text size="sm" c="dimmed" role="status">
          {failed || `${formatNumber(count ?? 0)} loaded`}
        </Text>
      )}
    </>
  );
}
