/** Certificates that are due to be renewed, as the last daily round has found them; nothing if there are none. */
import { Text } from "@mantine/core";
import { Link } from "wouter";
import { formatNumber } from "../../parts/numbers";
import { Ago } from "../../parts/time";
import { devicesAddress } from "../addresses";
import type { Counts } from "./operations";
import classes from "./overview.module.css";
import { Section } from "./section";

export function RenewalsSection({ renewals }: { renewals: Counts["renewals"] }) {
  if (!renewals || renewals.due + renewals.expiringCertificates === 0) return null;
  const { at, due, overdue, unable, expiringCertificates } = renewals;
  return (
    <Section title="Certificates">
      <table className={classes.table}>
        <tbody>
          <Line text="Renewal due" count={due} address={devicesAddress({ renewal: "due" })} />
          <Line text="Renewal overdue" count={overdue} address={devicesAddress({ renewal: "overdue" })} />
          <Line text="Due, and the client cannot renew" count={unable} />
          <Line text="Expire within 90 days, or have expired" count={expiringCertificates} />
        </tbody>
      </table>
      <Text size="xs" c="dimmed" mt={4}>
        Counted <Ago at={at} />, once a day.
      </Text>
    </Section>
  );
}

function Line({ text, count, address }: { text: string; count: number; address?: string }) {
  if (count === 0) return null;
  return (
    <tr className={classes.line}>
      <th scope="row">
        <Text component="span" size="sm" fw={600}>
          {address ? (
            <Link href={address} className={classes.link}>
              {text}
            </Link>
          ) : (
            text
          )}
        </Text>
      </th>
      <td className={classes.number}>
        <Text size="sm" fw={600}>
          {formatNumber(count)}
        </Text>
      </td>
    </tr>
  );
}
