/** The person's button, there at once; the menu behind it is loaded when it is first wanted. */
import { Avatar, UnstyledButton } from "@mantine/core";
import { type ComponentProps, type ComponentType, useState } from "react";
import { useMe } from "../sign_in/me";
import type { PersonMenuProps } from "./person_menu";

export function Person() {
  const [Menu, setMenu] = useState<ComponentType<PersonMenuProps>>();
  const open = async () => {
    try {
      const { PersonMenu } = await import("./person_menu");
      setMenu(() => PersonMenu);
    } catch {
      // No network: the next tap tries again.
    }
  };
  if (Menu) return <Menu button={PersonButton} />;
  return <PersonButton aria-haspopup="menu" aria-expanded={false} onClick={() => void open()} />;
}

function PersonButton(props: ComponentProps<"button">) {
  const { name } = useMe();
  return (
    <UnstyledButton p={4} mr={-4} aria-label={name ? `Menu of ${name}` : "Menu"} {...props}>
      <Avatar aria-hidden size={36} radius="xl" color="lobby">
        {name.charAt(0).toUpperCase() || undefined}
      </Avatar>
    </UnstyledButton>
  );
}
