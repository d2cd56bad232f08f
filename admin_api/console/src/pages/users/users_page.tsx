/** The page of blocked users: who is blocked, by whom and since when; block and unblock. */
import { Button, Text } from "@mantine/core";
import { IconUserCancel } from "@tabler/icons-react";
import { useState } from "react";
import { failureOf } from "../../api/failures";
import { useLiveQuery } from "../../api/live";
import { EmptyState } from "../../parts/empty_state";
import entryList from "../../parts/entry_list.module.css";
import { FailureNotice } from "../../parts/failure_notice";
import { Loading } from "../../parts/loading";
import { PageHead } from "../../parts/page_head";
import { useMe } from "../../sign_in/me";
import { BlockDialog } from "./block_dialog";
import { BLOCKED_USERS, LEFT_BY_USERS } from "./operations";
import { UserRow } from "./user_row";

const EVERY_MS = 10_000;
/** The API reads several lists for it. */
const LEFT_EVERY_MS = 30_000;
/** An empty list names no type, so the type is declared here for cache invalidation. */
const OF_USERS = { additionalTypenames: ["BlockedUser"] };

export default function UsersPage() {
  const me = useMe();
  const [blocking, setBlocking] = useState(false);
  const [note, setNote] = useState("");
  const [{ data, error }, again] = useLiveQuery({ query: BLOCKED_USERS, context: OF_USERS }, EVERY_MS);
  const users = data?.blockedUsers;
  const [{ data: leftData, error: leftError }, readLeftAgain] = useLiveQuery(
    { query: LEFT_BY_USERS, context: OF_USERS, pause: !users?.length },
    LEFT_EVERY_MS,
  );
  const leftBy = new Map(leftData?.blockedUsers.map((left) => [left.name, left]));
  const refresh = (done?: string) => {
    if (done) setNote(done);
    again({ requestPolicy: "network-only" });
  };
  return (
    <>
      <PageHead title="Blocked users">
        {me.may("blockUser") && (
          <Button leftSection={<IconUserCancel size={18} aria-hidden />} onClick={() => setBlocking(true)}>
            Block user
          </Button>
        )}
      </PageHead>
      {error && <FailureNotice failure={failureOf(error)} onRetry={() => refresh()} />}
      {users && users.length > 0 && leftError && (
        <>
          <Text size="sm">
            What the blocked users have created could not be read. The blocks are in effect.
          </Text>
          <FailureNotice
            failure={failureOf(leftError)}
            onRetry={() => readLeftAgain({ requestPolicy: "network-only" })}
          />
        </>
      )}
      {note && (
        <Text size="sm" role="status" mb="sm">
          {note}
        </Text>
      )}
      {!users && !error && <Loading what="blocked users" />}
      {users?.length === 0 && (
        <EmptyState icon={<IconUserCancel />} title="No blocked users">
          Block a user whose phone was stolen, for example. The lobby then refuses all their requests.
        </EmptyState>
      )}
      {users && users.length > 0 && (
        <ul className={entryList.list}>
          {users.map((user) => (
            <UserRow
              key={user.name}
              user={user}
              left={leftBy.get(user.name)}
              onChanged={() => refresh(`${user.name} is no longer blocked.`)}
            />
          ))}
        </ul>
      )}
      <BlockDialog
        opened={blocking}
        onClose={() => setBlocking(false)}
        onBlocked={(name) => {
          setBlocking(false);
          refresh(`${name} is blocked.`);
        }}
      />
    </>
  );
}
