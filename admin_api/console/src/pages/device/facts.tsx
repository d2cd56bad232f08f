/** Facts with labels: in two columns on a desktop, stacked on a phone. Unknown facts are omitted. */
import { DataList, Paper, Title } from "@mantine/core";
import type { ReactNode } from "react";
import { usePhone } from "../../parts/phone";

export function Section({ title, children }: { title: string; children: ReactNode }) {
  return (
    <Paper component="section" withBorder p={{ base: "sm", sm: "md" }} aria-label={title}>
      <Title order={2} size="h5" mb="sm">
        {title}
      </Title>
      {children}
    </Paper>
  );
}

export function Facts({ children }: { children: ReactNode }) {
  const phone = usePhone();
  return (
    <DataList orientation={phone ? "vertical" : "horizontal"} labelWidth={130} gap={phone ? "sm" : "xs"}>
      {children}
    </DataList>
  );
}

export function Fact({ name, children }: { name: string; children: ReactNode }) {
  if (children === null || children === undefined || children === "" || children === false) return null;
  return (
    <DataList.Item style={{ alignItems: "start" }}>
      <DataList.ItemLabel>{name}</DataList.ItemLabel>
      <DataList.ItemValue miw={0} style={{ overflowWrap: "anywhere" }}>
        {children}
      </DataList.ItemValue>
    </DataList.Item>
  );
}
