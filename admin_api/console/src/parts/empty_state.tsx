/** An empty page or list, with the reason and the next step. */
import { Center, Stack, Text, ThemeIcon, Title } from "@mantine/core";
import type { ReactNode } from "react";

interface Props {
  icon: ReactNode;
  title: string;
  /** Whether this title is the page's only title. */
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
