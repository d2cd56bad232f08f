/** An empty page or list: why it is empty and what to do next. */
import { Center, Stack, Text, ThemeIcon, Title } from "@mantine/core";
import type { ReactNode } from "react";

interface Props {
  icon: ReactNode;
  title: string;
  /** Whether the title is that of the page, which has no other. */
  page?: boolean;
  children?: ReactNode;
}

export function EmptyState({ icon, title, page = false, children }: Props) {
  return (
    <Center py={48} px="md">
      <Stack align="center" gap="sm" maw={420}>
        <ThemeIcon size={56} radius="xl" variant="light" aria-hidden>
          {icon}
        </ThemeIcon>
        <Title order={page ? 1 : 2} size="h4" ta="center">
          {title}
        </Title>
        <Text component="div" size="sm" c="dimmed" ta="center">
          {children}
        </Text>
      </Stack>
    </Center>
  );
}
