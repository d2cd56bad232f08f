/**
 * One blocked user in the list: name, who blocked them and when, their campaigns, what they have created and that still
 * works, their activity, and the end of the block.
 */
import { Anchor, Button, Paper, Stack, Text } from "@mantine/core";
import { useState } from "react";
import { useClient } from "urql";
import { Link } from "wouter";
import { failureOf } from "../../api/failures";
import { ConfirmDialog } from "../../parts/confirm_dialog";
import { ForeignText } from "../../parts/foreign_text";
import { Ago } from "../../parts/time";
import { useMe } from "../../sign_in/me";
import { ANY, activityAddress } from "../activity/conditions";
import { actorText } from "../device/history_text";
import { type BlockedUser, type LeftByUser, UNBLOCK_USER } from "./operations";
import classes from "./users.module.css";
import { WhatIsLeft } from "./what_is_left";

interface UserRowProps {
  user: BlockedUser;
  /** Undefined until it is read. */
  left: LeftByUser | undefined;
  onChanged: () => void;
}

export function UserRow({ user, left, onChanged }: UserRowProps) {
  const { name, by, at } = user;
  const me = useMe();
  const client = useClient();
  const [asked, setAsked] = useState(false);
  const unblock = async () => {
    const { error } = await client.mutation(UNBLOCK_USER, { name }).toPromise();
    if (error) return failureOf(error);
    onChanged();
    return undefined;
  };
  return (
    <Paper component="li" withBorder p="sm" aria-label={name}>
      <div className={classes.row}>
        <Stack gap={4}>
          <Text fw={600} component="h2" size="md">
            <ForeignText>{name}</ForeignText>
          </Text>
          <Text size="sm" c="dimmed">
            Blocked by <ForeignText>{actorText(by)}</ForeignText>, <Ago at={at} />
          </Text>
          {left && <WhatIsLeft left={left} />}
          {me.may("activity") && (
            <Anchor
              component={Link}
              href={activityAddress({ ...ANY, kind: "user", name })}
              size="sm"
              className="reach"
              aria-label={`Activity of ${name}`}
            >
              Activity
            </Anchor>
          )}
        </Stack>
        {me.may("unblockUser") && (
          <div className={classes.buttons}>
            <Button variant="default" aria-label={`Unblock ${name}`} onClick={() => setAsked(true)}>
              Unblock
            </Button>
          </div>
        )}
      </div>
      <ConfirmDialog
        opened={asked}
        title={`Unblock ${name}?`}
        consequence="The lobby accepts their requests again. A user who is disabled in Cognito still cannot sign in."
        action="Unblock"
        onConfirm={unblock}
        onClose={() => setAsked(false)}
      />
    </Paper>
  );
}
