/** The code that a claimed device shows, typed by whoever stands before it, where its target asks for that. */
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

/** As the API reads it: eight digits, with spaces or dashes between. */
export function bareCode(typed: string): string {
  return typed.replace(/[\s-]/g, "");
}

export function isCode(typed: string): boolean {
  return /^[0-9]{8}$/.test(bareCode(typed));
}

interface Props {
  device: { certid: string; showsCode: boolean | null; triesLeft: number | null; message: string | null };
  may: boolean;
  /** A code was right or wrong: the device has changed. */
  onTold: () => void;
}

export function PresenceCode({ device, may, onTold }: Props) {
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
    onTold();
  };
  if (showsCode === false) return <Text size="sm">It cannot: {message ?? "its client shows no codes."}</Text>;
  return (
    <>
      {showsCode === null && (
        <Text size="sm">It has not said hello yet. Power it on and connect it; then it shows its code.</Text>
      )}
      {may && (
        <form onSubmit={(event) => void send(event)} noValidate>
          <Group align="flex-end" gap="xs" wrap="nowrap">
            <TextInput
              style={{ flexGrow: 1 }}
              label="Code on the device"
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
          {triesLeft === 1 ? "One try is left" : `${triesLeft} tries are left`}; then the claim is dropped.
        </Text>
      )}
      {failure && <FailureNotice failure={failure} />}
    </>
  );
}
