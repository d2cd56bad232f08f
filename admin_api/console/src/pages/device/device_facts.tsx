/** The facts about a device: identity, route and certificate. */
import { Alert, Group, Stack, Text } from "@mantine/core";
import { IconCalendarExclamation } from "@tabler/icons-react";
import { ConfigView } from "../../parts/config_view";
import { Copy } from "../../parts/fingerprint";
import { ForeignText } from "../../parts/foreign_text";
import { keyOf, type TargetEntry, TargetLabel, type TargetName } from "../../parts/targets";
import { Ago, Ahead, exact, useNow } from "../../parts/time";
import type { Certificate, DeviceRecord } from "./device_query";
import { Fact, Facts, Section } from "./facts";
import { actorText } from "./history_text";
import { validityOf, validityText } from "./validity";

export function Identity({ device }: { device: DeviceRecord }) {
  return (
    <Section title="Device">
      <Facts>
        <Fact name="Name">{device.devicename ?? "Unknown until it is first seen"}</Fact>
        <Fact name="Expected name">{device.expectedName}</Fact>
        <Fact name="Fingerprint">
          <Copied text={device.certid} what="fingerprint" />
        </Fact>
        <Fact name="Label code">
          <Copied text={device.labelCode} what="label code" />
        </Fact>
        <Fact name="Connection">
          <Connection device={device} />
        </Fact>
        <Fact name="First seen">{device.firstSeen && <Timestamp at={device.firstSeen} />}</Fact>
        <Fact name="Last hello">{device.lastSeen && <Timestamp at={device.lastSeen} />}</Fact>
        <Fact name="Client">{device.clientVersion && <ForeignText>{device.clientVersion}</ForeignText>}</Fact>
        <Fact name="Lobby Region">{device.lobbyRegion}</Fact>
        <Fact name="Claimed by">{device.claimedBy && actorText(device.claimedBy)}</Fact>
        <Fact name="Claimed">{device.claimedAt && <Timestamp at={device.claimedAt} />}</Fact>
        <Fact name="Claims">{device.generation}</Fact>
      </Facts>
    </Section>
  );
}

/** The connection to the lobby. Unknown is not offline: a device in a target is not connected to the lobby. */
function Connection({ device: { online, onlineSince } }: { device: DeviceRecord }) {
  if (online === null) return "Unknown";
  return (
    <>
      {online ? "Online" : "Offline"} in the lobby{" "}
      {onlineSince && (
        <Text span inherit c="dimmed">
          · since <Timestamp at={onlineSince} />
        </Text>
      )}
    </>
  );
}

interface RouteProps {
  device: DeviceRecord;
  known: readonly TargetEntry[] | undefined;
}

export function RouteFacts({ device, known }: RouteProps) {
  const target = targetOf(device);
  if (!target && device.previousTargets.length === 0) return null;
  return (
    <Section title="Route">
      <Facts>
        <Fact name="Target">{target && <TargetLabel target={target} known={known} />}</Fact>
        <Fact name="Expected">{device.expectedAt && <Timestamp at={device.expectedAt} planned />}</Fact>
        <Fact name="Waits for">{device.waitsFor}</Fact>
        <Fact name="Profile">{target && device.profile}</Fact>
        <Fact name="Endpoint">{device.endpoint && <Copied text={device.endpoint} what="endpoint" />}</Fact>
        <Fact name="Config">{target && device.config !== null && <ConfigView config={device.config} />}</Fact>
        <Fact name="Being cleared">
          {device.previousTargets.length > 0 && (
            <Stack gap={4}>
              {device.previousTargets.map((left) => (
                <TargetLabel key={keyOf(left)} target={left} known={known} />
              ))}
              <Text size="xs" c="dimmed">
                Previous targets where its certificate is being deactivated.
              </Text>
            </Stack>
          )}
        </Fact>
      </Facts>
    </Section>
  );
}

const STAGES: Readonly<Record<NonNullable<DeviceRecord["renewal"]>["stage"], string>> = {
  DUE: "Asked each day",
  SIGNED: "The new certificate is signed",
  COMMISSIONED: "Both certificates work in the target",
  PROVEN: "The old certificate is being retired",
};

/** How far the renewal of the certificate is; nothing if none is due. */
export function RenewalFacts({ renewal }: { renewal: DeviceRecord["renewal"] }) {
  if (!renewal) return null;
  const { stage, by, overdue, unable } = renewal;
  return (
    <Section title="Renewal">
      {overdue && (
        <Alert color="orange" icon={<IconCalendarExclamation aria-hidden />} mb="sm" py="xs">
          The certificate should have been renewed by now.
        </Alert>
      )}
      <Facts>
        <Fact name="Progress">
          {unable ? "Due. The client cannot renew: replace the certificate in another way" : STAGES[stage]}
        </Fact>
        <Fact name="Due by">{by && <Timestamp at={by} planned />}</Fact>
      </Facts>
    </Section>
  );
}

export function CertificateFacts({ certificate }: { certificate: Certificate }) {
  const now = useNow(60_000);
  const { notBefore, notAfter } = certificate;
  const warning = validityText(validityOf(notBefore, notAfter, now));
  return (
    <Section title="Certificate">
      {warning && (
        <Alert color="orange" icon={<IconCalendarExclamation aria-hidden />} mb="sm" py="xs">
          {warning}
        </Alert>
      )}
      <Facts>
        <Fact name="Subject">
          <ForeignText>{certificate.subject}</ForeignText>
        </Fact>
        <Fact name="Issuer">
          <ForeignText>{certificate.issuer}</ForeignText>
        </Fact>
        <Fact name="Serial number">
          <Mono>{certificate.serialNumber}</Mono>
        </Fact>
        <Fact name="Valid from">{exact(notBefore)}</Fact>
        <Fact name="Valid until">{exact(notAfter)}</Fact>
        <Fact name="Key">{certificate.key}</Fact>
        <Fact name="Signature">{certificate.signature}</Fact>
      </Facts>
    </Section>
  );
}

export function targetOf({ targetaccount: account, targetregion: region }: DeviceRecord): TargetName | null {
  return account && region ? { account, region } : null;
}

function Timestamp({ at, planned = false }: { at: string; planned?: boolean }) {
  return (
    <>
      {exact(at)}{" "}
      <Text span c="dimmed" size="sm">
        ({planned ? <Ahead at={at} /> : <Ago at={at} />})
      </Text>
    </>
  );
}

function Copied({ text, what }: { text: string; what: string }) {
  return (
    <Group gap={4} wrap="nowrap" align="flex-start">
      <Mono>{text}</Mono>
      <Copy text={text} what={what} />
    </Group>
  );
}

function Mono({ children }: { children: string }) {
  return (
    <Text span size="sm" ff="monospace" miw={0} style={{ overflowWrap: "anywhere" }}>
      {children}
    </Text>
  );
}
