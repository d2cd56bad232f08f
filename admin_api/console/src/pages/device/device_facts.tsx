/** Who the device is, where it is sent, and what its certificate says. */
import { Alert, Code, Group, Stack, Text } from "@mantine/core";
import { IconCalendarExclamation } from "@tabler/icons-react";
import { Copy } from "../../parts/fingerprint";
import { Ago, exact, useNow } from "../../parts/moments";
import { keyOf, type TargetEntry, TargetLabel, type TargetName } from "../../parts/targets";
import type { Certificate, WholeDevice } from "./device_query";
import { Fact, Facts, Section } from "./facts";
import { actorWords } from "./history_words";
import { validityOf, validityWords } from "./validity";

export function Identity({ device }: { device: WholeDevice }) {
  return (
    <Section title="Device">
      <Facts>
        <Fact name="Name">{device.devicename ?? "Not known before it is seen"}</Fact>
        <Fact name="Fingerprint">
          <Copied text={device.certid} what="fingerprint" />
        </Fact>
        <Fact name="Label code">
          <Copied text={device.labelCode} what="label code" />
        </Fact>
        <Fact name="First seen">{device.firstSeen && <Moment at={device.firstSeen} />}</Fact>
        <Fact name="Last hello">{device.lastSeen && <Moment at={device.lastSeen} />}</Fact>
        <Fact name="Client">{device.clientVersion}</Fact>
        <Fact name="Lobby Region">{device.lobbyRegion}</Fact>
        <Fact name="Claimed by">{device.claimedBy && actorWords(device.claimedBy)}</Fact>
        <Fact name="Claimed">{device.claimedAt && <Moment at={device.claimedAt} />}</Fact>
        <Fact name="Claims so far">{device.generation}</Fact>
      </Facts>
    </Section>
  );
}

interface RouteProps {
  device: WholeDevice;
  known: readonly TargetEntry[] | undefined;
}

export function RouteFacts({ device, known }: RouteProps) {
  const target = targetOf(device);
  if (!target && device.previousTargets.length === 0) return null;
  return (
    <Section title="Route">
      <Facts>
        <Fact name="Target">{target && <TargetLabel target={target} known={known} />}</Fact>
        <Fact name="Profile">{target && device.profile}</Fact>
        <Fact name="Endpoint">{device.endpoint && <Copied text={device.endpoint} what="endpoint" />}</Fact>
        <Fact name="Config">{target && device.config !== null && <Config config={device.config} />}</Fact>
        <Fact name="Being cleared">
          {device.previousTargets.length > 0 && (
            <Stack gap={4}>
              {device.previousTargets.map((left) => (
                <TargetLabel key={keyOf(left)} target={left} known={known} />
              ))}
              <Text size="xs" c="dimmed">
                Left; its certificate is being put out of use there.
              </Text>
            </Stack>
          )}
        </Fact>
      </Facts>
    </Section>
  );
}

export function CertificateFacts({ certificate }: { certificate: Certificate }) {
  const now = useNow(60_000);
  const { notBefore, notAfter } = certificate;
  const warning = validityWords(validityOf(notBefore, notAfter, now));
  return (
    <Section title="Certificate">
      {warning && (
        <Alert color="orange" icon={<IconCalendarExclamation aria-hidden />} mb="sm" py="xs">
          {warning}
        </Alert>
      )}
      <Facts>
        <Fact name="Subject">{certificate.subject}</Fact>
        <Fact name="Issuer">{certificate.issuer}</Fact>
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

export function targetOf({ targetaccount: account, targetregion: region }: WholeDevice): TargetName | null {
  return account && region ? { account, region } : null;
}

function Config({ config }: { config: unknown }) {
  if (typeof config === "string") return <Mono>{config === "" ? "(empty text)" : config}</Mono>;
  return (
    <Code block mah={320} style={{ overflow: "auto", whiteSpace: "pre-wrap" }} tabIndex={0}>
      {JSON.stringify(config, null, 2)}
    </Code>
  );
}

function Moment({ at }: { at: string }) {
  return (
    <>
      {exact(at)}{" "}
      <Text span c="dimmed" size="sm">
        (<Ago at={at} />)
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
