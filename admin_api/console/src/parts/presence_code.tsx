/** The form for the presence code that a device shows, for targets that require proof of presence. */
import { Button, Group, Text, TextInput } from "@mantine/core";
import { type FormEvent, type RefObject, useEffect, useRef, useState } from "react";
import { useClient } from "urql";
import { type Failure, failureOf } from "../api/failures";
import { graphql } from "../api/graphql";
import { FailureNotice } from "./failure_notice";
import { pluralize } from "./numbers";

const CONFIRM = graphql(`
  mutation ConfirmPresence($certid: ID!, $code: String!) {
    confirmPresence(certid: $certid, code: $code) { certid devstate }
  }
`);

const MAX_TRIES = 5;

/** As the API reads it: eight digits, with spaces or dashes. */
export function bareCode(typed: string): string {
  return typed.replace(/[\s-]/g, "");
}

export function isCode(typed: string): boolean {
  return /^[0-9]{8}$/.test(bareCode(typed));
}

interface Props {
  /** A device that can show a code, or has not connected yet. */
  device: { certid: string; showsCode: boolean | null; triesLeft: number | null };
  may: boolean;
  /** The API accepted or rejected a code: the device has changed. */
  onAnswered: () => void;
}

export function PresenceCode({ device, may, onAnswered }: Props) {
  const { certid, showsCode, triesLeft } = device;
  const client = useClient();
  const [typed, setTyped] = useState("");
  const [busy, setBusy] = useState(false);
  const [failure, setFailure] = useState<Failure>();
  const field = useRef<HTMLInputElement>(null);
  const wrong = failure?.code === "WRONG_CODE";
  const rejected = wrong && !typed;
  useInView(field, failure);
  const send = async (event: FormEvent) => {
    event.preventDefault();
    if (busy || !isCode(typed)) return;
    setBusy(true);
    const { error } = await client.mutation(CONFIRM, { certid, code: bareCode(typed) }).toPromise();
    setBusy(false);
    setFailure(error && failureOf(error));
    if (error?.graphQLErrors.length) setTyped("");
    field.current?.focus();
    onAnswered();
  };
  return (
    <>
      {showsCode === null && (
        <Text size="sm">The device has not connected yet. Power it on to see its code.</Text>
      )}
      {may && (
        <form onSubmit={(event) => void send(event)} noValidate>
          <Group align="flex-end" gap="xs">
            <TextInput
              flex="1 1 9rem"
              label="Presence code"
              placeholder="8 digits"
              ref={field}
              size="md"
              // Above the field: a phone's keyboard covers what is below it.
              error={rejected ? `Wrong code. ${attemptsText(triesLeft)}` : undefined}
              inputWrapperOrder={["label", "error", "input"]}
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
      {triesLeft !== null && triesLeft < MAX_TRIES && !rejected && (
        <Text size="sm" role="status">
          {attemptsText(triesLeft)}
        </Text>
      )}
      {failure && !wrong && <FailureNotice failure={failure} />}
    </>
  );
}

function attemptsText(left: number | null): string {
  if (left === null) return "Compare it with the device.";
  return `${pluralize(left, "attempt")} left. Then the claim ends.`;
}

/** Scrolls the field to the middle of what a phone's keyboard leaves visible, when a code was rejected. */
function useInView(field: RefObject<HTMLInputElement | null>, failure: Failure | undefined) {
  useEffect(() => {
    if (failure) field.current?.scrollIntoView({ block: "center" });
  }, [field, failure]);
}
