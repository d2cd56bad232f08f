/**
 * The navigation at the bottom of a phone: up to five tabs. With more pages, the last tab opens a list of the rest,
 * because names of more tabs do not fit side by side.
 */
import { useClickOutside, useWindowEvent } from "@mantine/hooks";
import { IconDots } from "@tabler/icons-react";
import { useState } from "react";
import { Link, useLocation } from "wouter";
import type { NavItem } from "../pages/navigation";

const MOST = 5;

export function Tabs({ items }: { items: readonly NavItem[] }) {
  const shown = items.length > MOST ? items.slice(0, MOST - 1) : items;
  const rest = items.slice(shown.length);
  return (
    <nav className="tabs" aria-label="Main">
      {shown.map((item) => (
        <Tab key={item.path} item={item} />
      ))}
      {rest.length > 0 && <MoreTab items={rest} />}
    </nav>
  );
}

export function useIsHere(path: string): boolean {
  const [here] = useLocation();
  return isAt(here, path);
}

function isAt(here: string, path: string): boolean {
  return here === path || here.startsWith(`${path}/`);
}

function Tab({ item: { path, name, icon: Icon } }: { item: NavItem }) {
  const here = useIsHere(path);
  return (
    <Link href={path} className="tab" aria-current={here ? "page" : undefined}>
      <Icon size={22} aria-hidden />
      {name}
    </Link>
  );
}

function MoreTab({ items }: { items: readonly NavItem[] }) {
  const [here] = useLocation();
  const [opened, setOpened] = useState(false);
  const close = () => setOpened(false);
  const ref = useClickOutside<HTMLDivElement>(close);
  useWindowEvent("keydown", ({ key }) => {
    if (key === "Escape") close();
  });
  return (
    <div ref={ref}>
      <button
        type="button"
        className="tab"
        aria-expanded={opened}
        data-current={items.some(({ path }) => isAt(here, path)) || undefined}
        onClick={() => setOpened(!opened)}
      >
        <IconDots size={22} aria-hidden />
        More
      </button>
      {opened && (
        <div className="more-pages">
          {items.map((item) => (
            <MoreLink key={item.path} item={item} onClick={close} />
          ))}
        </div>
      )}
    </div>
  );
}

function MoreLink({ item: { path, name, icon: Icon }, onClick }: { item: NavItem; onClick: () => void }) {
  const here = useIsHere(path);
  return (
    <Link href={path} className="more-page" aria-current={here ? "page" : undefined} onClick={onClick}>
      <Icon size={22} aria-hidden />
      {name}
    </Link>
  );
}
