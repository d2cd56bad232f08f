/** Who is signed in, light or dark, and the way out. */
import {
  Avatar,
  Menu,
  Text,
  UnstyledButton,
  useComputedColorScheme,
  useMantineColorScheme,
} from "@mantine/core";
import { IconLogout, IconMoon, IconSun } from "@tabler/icons-react";
import { useSession } from "../sign_in/gate";
import { useMe } from "../sign_in/me";

export function PersonMenu() {
  const session = useSession();
  const me = useMe();
  const dark = useComputedColorScheme("light") === "dark";
  const { setColorScheme } = useMantineColorScheme();
  return (
    <Menu position="bottom-end" width={220}>
      <Menu.Target>
        <UnstyledButton p={4} mr={-4} aria-label={me.name ? `Menu of ${me.name}` : "Menu"}>
          <Avatar aria-hidden size={36} radius="xl" color="lobby" name={me.name || undefined} />
        </UnstyledButton>
      </Menu.Target>
      <Menu.Dropdown>
        <Menu.Label>
          <Text size="sm" fw={600} c="var(--mantine-color-text)">
            {me.name || "Not signed in"}
          </Text>
          {me.role}
        </Menu.Label>
        <Menu.Item
          leftSection={dark ? <IconSun size={16} /> : <IconMoon size={16} />}
          onClick={() => setColorScheme(dark ? "light" : "dark")}
        >
          {dark ? "Light" : "Dark"}
        </Menu.Item>
        {session && (
          <Menu.Item leftSection={<IconLogout size={16} />} onClick={() => void session.end()}>
            Sign out
          </Menu.Item>
        )}
      </Menu.Dropdown>
    </Menu>
  );
}
