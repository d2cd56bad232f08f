/** The user button. Its menu is loaded on the first click. */
import { Avatar, UnstyledButton } from "@mantine/core";
import { type ComponentProps, type ComponentType, useState } from "react";
import { useMe } from "../sign_in/me";
import type { UserMenuProps } from "./user_menu";

export function UserButton() {
  const [Menu, setMenu] = useState<ComponentType<UserMenuProps>>();
  const open = async () => {
    try {
      const { UserMenu } = await import("./user_menu");
      setMenu(() => UserMenu);
    } catch {
      // Offline: the next click tries again.
    }
  };
  if (Menu) return <Menu button={AvatarButton} />;
  return <AvatarButton aria-haspopup="menu" aria-expanded={false} onClick={() => void open()} />;
}

function AvatarButton(props: ComponentProps<"button">) {
  const { name } = useMe();
  return (
    <UnstyledButton p={4} mr={-4} aria-label={name ? `Account menu: ${name}` : "Account menu"} {...props}>
      <Avatar aria-hidden size={36} radius="xl" color="lobby">
        {name.charAt(0).toUpperCase() || undefined}
      </Avatar>
    </UnstyledButton>
  );
}
