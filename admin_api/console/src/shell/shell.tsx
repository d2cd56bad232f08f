/**
 * The frame around every page: product name, user, network status, and navigation at the side on a desktop or
 * at the bottom on a phone.
 */
import { AppShell, Badge, Box, Button, Group, NavLink, Text } from "@mantine/core";
import { useNetwork } from "@mantine/hooks";
import { IconWifiOff } from "@tabler/icons-react";
import type { ReactNode } from "react";
import { Link } from "wouter";
import { ClockNotice } from "../clock/clock_notice";
import { NAV_ITEMS, type NavItem } from "../pages/navigation";
import { useUpdateAvailable } from "../service_worker/register";
import { useSession } from "../sign_in/gate";
import { useMe } from "../sign_in/me";
import { SignInButton } from "../sign_in/sign_in_again";
import { RegionNotice } from "./region_notice";
import { Tabs, useIsHere } from "./tabs";
import { UserButton } from "./user_button";

export function Shell({ children }: { children: ReactNode }) {
  const items = useNavItems();
  return (
    <AppShell
      header={{ height: 52 }}
      navbar={{ width: 208, breakpoint: "sm", collapsed: { mobile: true } }}
      footer={{ height: { base: 60, sm: 0 } }}
      padding="md"
    >
      <a href="#main" className="skip">
        Skip to content
      </a>
      <AppShell.Header px="md">
        <Header />
      </AppShell.Header>
      <AppShell.Navbar p="xs" aria-label="Main" visibleFrom="sm">
        {items.map((item) => (
          <SideLink key={item.path} item={item} />
        ))}
      </AppShell.Navbar>
      <AppShell.Main id="main" tabIndex={-1}>
        <Box maw={1200} mx="auto">
          <ClockNotice />
          <RegionNotice />
          {children}
        </Box>
      </AppShell.Main>
      <AppShell.Footer hiddenFrom="sm">
        <Tabs items={items} />
      </AppShell.Footer>
    </AppShell>
  );
}

/** The items that the user can open; offline, only the claim page. */
function useNavItems(): readonly NavItem[] {
  const me = useMe();
  const session = useSession();
  if (!session) return NAV_ITEMS.filter((item) => item.path === "/claim");
  return NAV_ITEMS.filter((item) => item.needs === null || me.may(item.needs));
}

function Header() {
  const { online } = useNetwork();
  const updateAvailable = useUpdateAvailable();
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
        {updateAvailable && (
          <Button size="compact-sm" variant="light" onClick={() => location.reload()}>
            Reload to update
          </Button>
        )}
        <SignInButton />
        <UserButton />
      </Group>
    </Group>
  );
}

function SideLink({ item: { path, name, icon: Icon } }: { item: NavItem }) {
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
