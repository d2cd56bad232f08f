/** The user menu: who is signed in, colour scheme and sign-out. */
import { Menu, Text, useComputedColorScheme, useMantineColorScheme } from "@mantine/core";
import { IconLogout, IconMoon, IconSun } from "@tabler/icons-react";
import type { ComponentProps, ComponentType } from "react";
import { useSession } from "../sign_in/gate";
import { useMe } from "../sign_in/me";

export interface UserMenuProps {
  /** The button that opens the menu. It was clicked to load the menu, so the menu starts open. */
  button: ComponentType<ComponentProps<"button">>;
}

export function UserMenu({ button: AvatarButton }: UserMenuProps) {
  const session = useSession();
  const me = useMe();
  const dark = useComputedColorScheme("light") === "dark";
  const { setColorScheme } = useMantineColorScheme();
  return (
    <Menu position="bottom-end" width={220} defaultOpened withinPortal={false}>
      <Menu.Target>
        <AvatarButton />
      </Menu.Target>
      <Menu.Dropdown>
        <Menu.Label>
          <Text component="span" display="block" size="sm" fw={600} c="var(--mantine-color-text)">
            {me.name || "Not signed in"}
          </Text>
          {me.role}
        </Menu.Label>
        <Menu.Item
          leftSection={dark ? <IconSun size={16} /> : <IconMoon size={16} />}
          onClick={() => setColorScheme(dark ? "light" : "dark")}
        >
          {dark ? "Light mode" : "Dark mode"}
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
