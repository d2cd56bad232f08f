/**
 * An address with the start of a fingerprint, such as the short form on a label: opens the device if there is
 * one, otherwise lists the devices that begin with it.
 */
import { Anchor, List, Stack } from "@mantine/core";
import { IconUserQuestion } from "@tabler/icons-react";
import { useEffect } from "react";
import { Link, useLocation } from "wouter";
import { failureOf } from "../../api/failures";
import { graphql } from "../../api/graphql";
import { useLiveQuery } from "../../api/live";
import { shortForm } from "../../label/short_form";
import { EmptyState } from "../../parts/empty_state";
import { FailureNotice } from "../../parts/failure_notice";
import { Loading } from "../../parts/loading";
import { PageHead } from "../../parts/page_head";
import { deviceAddress } from "../addresses";

const BEGINNING = graphql(`
  query Beginning($filter: DeviceFilter!) {
    devices(filter: $filter, first: 20) { nodes { certid devicename } pageInfo { hasNextPage } }
  }
`);
const RETRY_MS = 5_000;

/** The hex digits of `text` if it can be the start of a fingerprint; null if not. */
export function beginningOf(text: string): string | null {
  const digits = text.replace(/[\s:-]|%20/g, "").toLowerCase();
  return /^[0-9a-f]{4,63}$/.test(digits) ? digits : null;
}

export function ShortFormLookup({ digits }: { digits: string }) {
  const [, navigate] = useLocation();
  const variables = { filter: { fingerprintPrefix: digits } };
  const [{ data, error }, again] = useLiveQuery({ query: BEGINNING, variables }, RETRY_MS);
  const found = data?.devices.nodes ?? [];
  const only = found.length === 1 && !data?.devices.pageInfo.hasNextPage ? found[0]?.certid : undefined;
  useEffect(() => {
    if (only) navigate(deviceAddress(only), { replace: true });
  }, [only, navigate]);

  if (!data && error)
    return (
      <FailureNotice failure={failureOf(error)} onRetry={() => again({ requestPolicy: "network-only" })} />
    );
  if (!data || only) return <Loading what="device" />;
  return (
    <>
      <PageHead title="Device" />
      <EmptyState
        icon={<IconUserQuestion />}
        title={found.length === 0 ? "No device found" : "Several devices found"}
      >
        <Stack>
          {found.length === 0
            ? `No known device has a fingerprint that begins with ${digits.toUpperCase()}. One that has never connected can only be opened with its complete code.`
            : `Their fingerprints begin with ${digits.toUpperCase()}.`}
          <List listStyleType="none">
            {found.map(({ certid, devicename }) => (
              <List.Item key={certid}>
                <Anchor component={Link} href={deviceAddress(certid)} py={10} display="inline-block">
                  {shortForm(certid)} {devicename ?? ""}
                </Anchor>
              </List.Item>
            ))}
          </List>
        </Stack>
      </EmptyState>
    </>
  );
}
