/**
 * The targets page: where devices may go, how many are there, and for admins and operators, setup and
 * checks.
 */
import { Button, TextInput } from "@mantine/core";
import { IconMapPinPlus, IconSearch } from "@tabler/icons-react";
import { useState } from "react";
import { failureOf } from "../../api/failures";
import { useLiveQuery } from "../../api/live";
import { FailureNotice } from "../../parts/failure_notice";
import { Loading } from "../../parts/loading";
import { PageHead } from "../../parts/page_head";
import { keyOf } from "../../parts/targets";
import { useMe } from "../../sign_in/me";
import { type Counted, type Listed, TARGET_COUNTS, TARGET_LIST } from "./operations";
import { type Dialog, TargetDialog } from "./target_dialog";
import { TargetList } from "./target_list";
import type { Outcome } from "./use_check";

const EVERY_MS = 10_000;
/** After a failed first request. */
const RETRY_MS = 5_000;
/** A shorter list has no search box. */
const SEARCHED_FROM = 9;
const OF_TARGETS = { additionalTypenames: ["RegisteredTarget"] };

export default function TargetsPage() {
  const me = useMe();
  const [dialog, setDialog] = useState<Dialog | null>(null);
  const [checked, setChecked] = useState<ReadonlyMap<string, Outcome>>(new Map());
  const [known, setKnown] = useState(false);
  const [{ data, error }, again] = useLiveQuery(
    { query: TARGET_LIST, context: OF_TARGETS },
    known ? null : RETRY_MS,
  );
  const targets = data?.targets;
  if (targets && !known) setKnown(true);
  return (
    <>
      <PageHead title="Targets">
        {me.may("registerTarget") && targets && targets.length > 0 && (
          <Button
            leftSection={<IconMapPinPlus size={18} aria-hidden />}
            onClick={() => setDialog({ to: "add" })}
          >
            Add target
          </Button>
        )}
      </PageHead>
      {error && (
        <FailureNotice failure={failureOf(error)} onRetry={() => again({ requestPolicy: "network-only" })} />
      )}
      {!targets && !error && <Loading what="targets" />}
      {targets && <TargetsContent targets={targets} checked={checked} onOpen={setDialog} />}
      <TargetDialog
        dialog={dialog}
        known={targets ?? []}
        onGo={setDialog}
        onChecked={(key, outcome) => setChecked((now) => new Map(now).set(key, outcome))}
      />
    </>
  );
}

interface ContentProps {
  targets: readonly Listed[];
  checked: ReadonlyMap<string, Outcome>;
  onOpen: (dialog: Dialog) => void;
}

function TargetsContent({ targets, checked, onOpen }: ContentProps) {
  const [search, setSought] = useState("");
  const counts = useTargetCounts();
  return (
    <>
      {targets.length >= SEARCHED_FROM && (
        <TextInput
          aria-label="Find a target"
          placeholder="Name, account or Region"
          size="md"
          mb="sm"
          maw={420}
          leftSection={<IconSearch size={18} aria-hidden />}
          value={search}
          onChange={(event) => setSought(event.currentTarget.value)}
        />
      )}
      <TargetList targets={targets} search={search} counts={counts} checked={checked} onOpen={onOpen} />
    </>
  );
}

/** By target; undefined until loaded. The list works without them. */
function useTargetCounts(): ReadonlyMap<string, Counted> | undefined {
  const [{ data }] = useLiveQuery({ query: TARGET_COUNTS }, EVERY_MS);
  return data && new Map(data.overview.targets.map((each) => [keyOf(each), each]));
}
