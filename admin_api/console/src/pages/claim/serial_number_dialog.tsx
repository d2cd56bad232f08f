/** The dialog for claiming by serial number: for devices whose certificates do not exist yet. Needs the network. */
import { Button, Group, Modal, Stack, Text, TextInput } from "@mantine/core";
import { type FormEvent, useState } from "react";
import { useMutation } from "urql";
import { type Failure, failureOf } from "../../api/failures";
import { graphql } from "../../api/graphql";
import { FailureNotice } from "../../parts/failure_notice";
import { ForeignText } from "../../parts/foreign_text";
import { usePhone } from "../../parts/phone";
import { Destination } from "./destination";
import { SerialScanner } from "./serial_scanner";
import type { Choice } from "./use_choice";

const CLAIM_SERIAL = graphql(`
  mutation ClaimSerialNumber($serial: String!, $target: TargetInput!, $profile: String) {
    claimSerialNumbers(serialNumbers: [$serial], target: $target, profile: $profile) {
      results { serialNumber ok code message claim { id } device { certid devstate } }
    }
  }
`);

interface Props {
  choice: Choice;
  /** The serial number that was scanned on the page, or empty. */
  scanned: string;
  opened: boolean;
  onClose: () => void;
}

export function SerialNumberDialog({ choice, scanned, opened, onClose }: Props) {
  const phone = usePhone();
  return (
    <Modal
      opened={opened}
      onClose={onClose}
      title="Claim by serial number"
      fullScreen={phone}
      closeButtonProps={{ "aria-label": "Close", size: phone ? 44 : "md" }}
    >
      <SerialNumberForm choice={choice} scanned={scanned} />
    </Modal>
  );
}

function SerialNumberForm({ choice, scanned }: { choice: Choice; scanned: string }) {
  const [serial, setSerial] = useState(scanned);
  const [failure, setFailure] = useState<Failure>();
  const [claimed, setClaimed] = useState<{ serial: string; joined: boolean }>();
  const [{ fetching: busy }, claim] = useMutation(CLAIM_SERIAL);
  const { target, profile } = choice;
  const submit = async (event: FormEvent) => {
    event.preventDefault();
    if (!target) return;
    setFailure(undefined);
    setClaimed(undefined);
    const { account, region } = target;
    const { data, error } = await claim({ serial: serial.trim(), target: { account, region }, profile });
    if (error) return setFailure(failureOf(error));
    const [result] = data?.claimSerialNumbers.results ?? [];
    if (!result?.ok)
      return setFailure({ code: result?.code ?? "REFUSED", message: result?.message ?? "No reason given." });
    setClaimed({ serial: result.serialNumber, joined: result.device !== null });
    setSerial("");
  };
  return (
    <form onSubmit={submit} noValidate>
      <Stack>
        <TextInput
          label="Serial number"
          description="The device needs no certificate yet. It is claimed when it joins with this name."
          size="md"
          autoComplete="off"
          autoCapitalize="none"
          spellCheck={false}
          data-autofocus
          value={serial}
          onChange={(event) => setSerial(event.currentTarget.value)}
        />
        <SerialScanner onSerial={setSerial} />
        <div>
          <Destination choice={choice} />
        </div>
        {failure && <FailureNotice failure={failure} />}
        {claimed && (
          <Text role="status">
            <b>
              <ForeignText>{claimed.serial}</ForeignText>
            </b>{" "}
            {claimed.joined ? "is claimed." : "is claimed as soon as it joins."}
          </Text>
        )}
        <Group justify="flex-end">
          <Button type="submit" size="md" loading={busy} disabled={!target || !serial.trim()}>
            Claim
          </Button>
        </Group>
      </Stack>
    </form>
  );
}
