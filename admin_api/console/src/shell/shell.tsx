/**
 * What is around every page: the name, who is signed in, whether there is a network, and the way to the other rooms:
 * a list at the side of a desk's screen, a bar under the thumb on a phone.
 */
import { AppShell, Badge, Box, Button, Group, NavLink, Text } from "@mantine/core";
import { useNetwork } from "@mantine/hooks";
import { IconWifiOff } from "@tabler/icons-react";
import type { ReactNode } from "react";
import { Link, useLocation } from "wouter";
import { ROOMS, type Room } from "../pages/rooms";
import { useNewer } from "../service_worker/register";
import { useSession } from "../sign_in/gate";
import { useMe } from "../sign_in/me";
import { Person } from "./person";

export function Shell({ children }: { children: ReactNode }) {
  const rooms = useRooms();
  return (
    <AppShell
      header={{ height: 52 }}
      navbar={{ width: 208, breakpoint: "sm", collapsed: { mobile: true } }}
      footer={{ height: { base: 60, sm: 0 } }}
      padding="md"
    >
      <a href="#main" className="skip">
        Skip to the content
      </a>
      <AppShell.Header px="md">
        <Header />
      </AppShell.Header>
      <AppShell.Navbar p="xs" aria-label="Rooms" visibleFrom="sm">
        {rooms.map((room) => (
          <SideLink key={room.path} room={room} />
        ))}
      </AppShell.Navbar>
      <AppShell.Main id="main" tabIndex={-1}>
        <Box maw={1200} mx="auto">
          {children}
        </Box>
      </AppShell.Main>
      <AppShell.Footer hiddenFrom="sm">
        <nav className="tabs" aria-label="Rooms">
          {rooms.map((room) => (
            <Tab key={room.path} room={room} />
          ))}
        </nav>
      </AppShell.Footer>
    </AppShell>
  );
}

/** Those that the person can use; without a network only claiming. */
function useRooms(): readonly Room[] {
  const me = useMe();
  const session = useSession();
  if (!session) return ROOMS.filter((room) => room.path === "/claim");
  return ROOMS.filter((room) => room.needs === null || me.may(room.needs));
}

function Header() {
  const { online } = useNetwork();
  const newer = useNewer();
  return (
    <Group h="100%" justify="space-between" wrap="nowrap">
      <Link href="/" style={{ textDecoration: "none", color: "inherit" }}>
        <Group gap="xs" wrap="nowrap">
          <img src="/icon.svg" alt="" width={28} height={28} />
          <Text fw={650}>Device Lobby</Text>
        </Group>
      </Link>
      <Group gap="xs" wrap="nowrap">
        <Box role="status">
          {!online && (
            <Badge
              color="yellow"
              variant="filled"
              leftSection={<IconWifiOff size={14} aria-hidden />}
              tt="none"
            >
              Offline
            </Badge>
          )}
        </Box>
        {newer && (
          <Button size="compact-sm" variant="light" onClick={() => location.reload()}>
            New version: reload
          </Button>
        )}
        <Person />
      </Group>
    </Group>
  );
}

function useIsHere(path: string): boolean {
  const [here] = useLocation();
  return here === path || here.startsWith(`${path}/`);
}

function SideLink({ room: { path, name, icon: Icon } }: { room: Room }) {
  const here = useIsHere(path);
  return (
    <NavLink
      component={Link}
      href={path}
      label={name}
      leftSection={<Icon size={20} aria-hidden />}
      active={here}
      aria-current={here ? "page" : undefined}
      py="sm"
    />
  );
}

function Tab({ room: { path, name, icon: Icon } }: { room: Room }) {
  const here = useIsHere(path);
  return (
    <Link href={path} className="tab" aria-current={here ? "page" : undefined}>
      <Icon size={22} aria-hidden />
      {name}
    </Link>
  );
}
