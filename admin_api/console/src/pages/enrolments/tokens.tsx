/** The tokens of an enrolment of door token, in a dialog: list, revoke, and create. A new one is shown once. */
import { Button, Code, Group, Modal, NumberInput, Stack, Text, TextInput } from "@mantine/core";
import { type FormEvent, useState } from "react";
import { useClient, useMutation, useQuery } from "urql";
import { type Failure, failureOf } from "../../api/failures";
import { ConfirmDialog } from "../../parts/confirm_dialog";
import { Day } from "../../parts/day";
import { FailureNotice } from "../../parts/failure_notice";
import { Loading } from "../../parts/loading";
import { pluralize } from "../../parts/numbers";
import { usePhone } from "../../parts/phone";
import { ShownOnce } from "../../parts/shown_once";
import { useMe } from "../../sign_in/me";
import { CREATE_TOKEN, type Enrolment, REVOKE_TOKEN, TOKEN_LIST } from "./operations";
import { tokenText } from "./texts";

export function TokensButton({ enrolment }: { enrolment: Enrolment }) {
  const me = useMe();
  const phone = usePhone();
  const [opened, setOpened] = useState(false);
  if (!me.may("enrolmentTokens")) return null;
  return (
    <>
      <Button variant="default" onClick={() => setOpened(true)} aria-label={`Tokens of ${enrolment.name}`}>
        Tokens
      </Button>
      <Modal
        opened={opened}
        onClose={() => setOpened(false)}
        title={`Tokens of ${enrolment.name}`}
        size="lg"
        fullScreen={phone}
        closeButtonProps={{ "aria-label": "Close", size: phone ? 44 : "md" }}
      >
        <Tokens enrolment={enrolment} />
      </Modal>
    </>
  );
}

function Tokens({ enrolment }: { enrolment: Enrolment }) {
  const variables = { enrolment: enrolment.name };
  const [{ data, error }, reload] = useQuery({
    query: TOKEN_LIST,
    variables,
    requestPolicy: "cache-and-network",
  });
  const refresh = () => reload({ requestPolicy: "network-only" });
  const [asked, setAsked] = useState<string | null>(null);
  const client = useClient();
  const revoke = async () => {
    const { error: refused } = await client.mutation(REVOKE_TOKEN, { identifier: asked ?? "" }).toPromise();
    if (!refused) refresh();
    return refused && failureOf(refused);
  };
  if (!data) return error ? <FailureNotice failure={failureOf(error)} /> : <Loading what="tokens" />;
  return (
    <Stack>
      {enrolment.state !== "revoked" && <NewToken enrolment={enrolment} onCreated={refresh} />}
      {data.enrolmentTokens.length === 0 && <Text c="dimmed">No token yet.</Text>}
      {data.enrolmentTokens.map((token) => (
        <Group key={token.identifier} justify="space-between" wrap="nowrap">
          <div>
            <Code>{token.identifier}</Code>
            <Text size="sm" c="dimmed">
              {tokenText(token)}
            </Text>
          </div>
          {token.state !== "revoked" && (
            <Button
              variant="default"
              c="red"
              aria-label={`Revoke ${token.identifier}`}
              onClick={() => setAsked(token.identifier)}
            >
              Revoke
            </Button>
          )}
        </Group>
      ))}
      <ConfirmDialog
        opened={asked !== null}
        title={`Revoke ${asked}?`}
        consequence="It admits no more devices. Admitted devices stay. This cannot be undone."
        action="Revoke"
        dangerous
        onConfirm={revoke}
        onClose={() => setAsked(null)}
      />
    </Stack>
  );
}

function NewToken({ enrolment, onCreated }: { enrolment: Enrolment; onCreated: () => void }) {
  const [uses, setUses] = useState<string | number>(1);
  const [name, setName] = useState("");
  const [failure, setFailure] = useState<Failure>();
  const [{ fetching: busy, data }, create] = useMutation(CREATE_TOKEN);
  const created = data?.createEnrolmentToken;
  const submit = async (event: FormEvent) => {
    event.preventDefault();
    setFailure(undefined);
    const variables = { enrolment: enrolment.name, uses: Number(uses), thingName: name.trim() || null };
    const { error } = await create(variables);
    if (error) return setFailure(failureOf(error));
    onCreated();
  };
  return (
    <form onSubmit={submit} noValidate>
      <Stack>
        <Group align="flex-end">
          <TextInput
            label="Device name"
            description="Thing name that may use the token; empty for any name"
            size="md"
            value={name}
            onChange={(event) => setName(event.currentTarget.value)}
          />
          <NumberInput
            label="Uses"
            description="Maximum number of devices"
            size="md"
            min={1}
            allowDecimal={false}
            value={uses}
            onChange={setUses}
          />
          <Button type="submit" loading={busy}>
            Create token
          </Button>
        </Group>
        {failure && <FailureNotice failure={failure} />}
        {created && <Created {...created} />}
      </Stack>
    </form>
  );
}

interface CreatedProps {
  authorization: string;
  token: { identifier: string; maxUses: number; expires: string };
}

function Created({ authorization, token }: CreatedProps) {
  return (
    <ShownOnce value={authorization} what="token">
      The value of the header Authorization: {pluralize(token.maxUses, "use")}, until{" "}
      <Day at={token.expires} />.
    </ShownOnce>
  );
}
