/** The form for the presence code that a device shows, for targets that require proof of presence. */
import { Button, Group, Text, TextInput } from "@mantine/core";
import { type FormEvent, useState } from "react";
import { useClient } from "urql";
import { type Failure, failureOf } from "../api/failures";
import { graphql } from "../api/graphql";
import { FailureNotice } from "./failure_notice";

const CONFIRM = graphql(`
  mutation ConfirmPresence($certid: ID!, $code: String!) {
    confirmPresence(certid: $certid, code: $code) { certid devstate }
  }
`);

/** As the API reads it: eight digits, with spaces or dashes. */
export function bareCode(typed: string): string {
  return typed.replace(/[\s-]/g, "");
}

export function isCode(typed: string): boolean {
  return /^[0-9]{8}$/.test(bareCode(typed));
}

interface Props {
  device: { certid: string; showsCode: boolean | null; triesLeft: number | null; message: string | null };
  may: boolean;
  /** The API accepted or rejected a code: the device has changed. */
  onAnswered: () => void;
}

export function PresenceCode({ device, may, onAnswered }: Props) {
  const { certid, showsCode, triesLeft, message } = device;
  const client = useClient();
  const [typed, setTyped] = useState("");
  const [busy, setBusy] = useState(false);
  const [failure, setFailure] = useState<Failure>();
  const send = async (event: FormEvent) => {
    event.preventDefault();
    if (busy || !isCode(typed)) return;
    setBusy(true);
    const { error } = await client.mutation(CONFIRM, { certid, code: bareCode(typed) }).toPromise();
    setBusy(false);
    setFailure(error && failureOf(error));
    if (error?.graphQLErrors.length) setTyped("");
    onAnswered();
  };
  if (showsCode === false)
    return (
      <Text size="sm">This device can't show a code: {message ?? "its client does not support it."}</Text>
    );
  return (
    <>
      {showsCode === null && (
        <Text size="sm">The device has not connected yet. Power it on to see its code.</Text>
      )}
      {may && (
        <form onSubmit={(event) => void send(event)} noValidate>
          <Group align="flex-end" gap="xs" wrap="nowrap">
            <TextInput
              style={{ flexGrow: 1 }}
              label="Presence code"
              placeholder="8 digits"
              size="md"
              inputMode="numeric"
              autoComplete="off"
              maxLength={20}
              value={typed}
              onChange={(event) => setTyped(event.currentTarget.value)}
            />
            <Button
              type="submit"
              size="md"
              style={{ flexShrink: 0 }}
              loading={busy}
              disabled={!isCode(typed)}
            >
              Confirm
            </Button>
          </Group>
        </form>
      )}
      {triesLeft !== null && triesLeft < 5 && (
        <Text size="sm" role="status">
          {triesLeft === 1 ? "1 attempt left" : `${triesLeft} attempts left`}. Then the claim ends.
        </Text>
      )}
      {failure && <FailureNotice failure={failure} />}
    </>
  );
}
