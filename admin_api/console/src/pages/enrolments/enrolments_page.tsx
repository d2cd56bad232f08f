/** The enrolments page: groups of devices with their progress and refusals; create, pause, resume, revoke. */
import { Button, Text } from "@mantine/core";
import { IconListCheck, IconPlus } from "@tabler/icons-react";
import { useState } from "react";
import { failureOf } from "../../api/failures";
import { useLiveQuery } from "../../api/live";
import { EmptyState } from "../../parts/empty_state";
import entries from "../../parts/entry_list.module.css";
import { FailureNotice } from "../../parts/failure_notice";
import { Loading } from "../../parts/loading";
import { PageHead } from "../../parts/page_head";
import { useMe } from "../../sign_in/me";
import { CreateDialog } from "./create_dialog";
import { EnrolmentRow } from "./enrolment_row";
import { ENROLMENT_LIST, type Enrolment } from "./operations";

const EVERY_MS = 10_000;

export default function EnrolmentsPage() {
  const me = useMe();
  const [creating, setCreating] = useState(false);
  const [{ data, error }, again] = useLiveQuery({ query: ENROLMENT_LIST }, EVERY_MS);
  const enrolments = data?.enrolments;
  const refresh = () => again({ requestPolicy: "network-only" });
  return (
    <>
      <PageHead title="Enrolments">
        {me.may("createEnrolment") && (
          <Button leftSection={<IconPlus size={18} aria-hidden />} onClick={() => setCreating(true)}>
            Create enrolment
          </Button>
        )}
      </PageHead>
      {error && <FailureNotice failure={failureOf(error)} onRetry={refresh} />}
      {!enrolments && !error && <Loading what="enrolments" />}
      {enrolments && <List enrolments={enrolments} onChanged={refresh} />}
      <CreateDialog opened={creating} onClose={() => setCreating(false)} onCreated={refresh} />
    </>
  );
}

function List({ enrolments, onChanged }: { enrolments: readonly Enrolment[]; onChanged: () => void }) {
  if (enrolments.length === 0)
    return (
      <EmptyState icon={<IconListCheck />} title="No enrolments">
        <Text size="sm">
          Every device with a certificate of a registered CA is admitted and waits for a claim. An enrolment
          decides for a group of devices how many are admitted, until when, and for which target they are
          claimed.
        </Text>
      </EmptyState>
    );
  return (
    <ul className={entries.list}>
      {enrolments.map((enrolment) => (
        <EnrolmentRow key={enrolment.name} enrolment={enrolment} onChanged={onChanged} />
      ))}
    </ul>
  );
}
