/** The rooms of the console: where each is, what it is called, who has it in the menu. Loaded when entered. */
import { IconChartBar, IconDevices, IconDoorEnter, IconMapPin, IconQrcode } from "@tabler/icons-react";
import { type ComponentType, type LazyExoticComponent, lazy } from "react";

/** A room with all the styles; the claim page, which is to load fast, has what it needs from the start. */
function room(enter: () => Promise<{ default: ComponentType }>): LazyExoticComponent<ComponentType> {
  return lazy(async () => (await Promise.all([enter(), import("../styles/rest")]))[0]);
}

export interface Room {
  path: string;
  name: string;
  icon: typeof IconQrcode;
  /** The operation without which there is nothing to do here; null: everybody's. */
  needs: string | null;
  page: LazyExoticComponent<ComponentType>;
}

export const ClaimPage = lazy(() => import("./claim/claim_page"));

export const ROOMS: readonly Room[] = [
  {
    path: "/claim",
    name: "Claim",
    icon: IconQrcode,
    needs: "claimDevice",
    page: ClaimPage,
  },
  {
    path: "/waiting",
    name: "Waiting",
    icon: IconDoorEnter,
    needs: null,
    page: room(() => import("./waiting/waiting_page")),
  },
  {
    path: "/devices",
    name: "Devices",
    icon: IconDevices,
    needs: null,
    page: room(() => import("./devices/devices_page")),
  },
  {
    path: "/targets",
    name: "Targets",
    icon: IconMapPin,
    needs: null,
    page: room(() => import("./targets/targets_page")),
  },
  {
    path: "/overview",
    name: "Overview",
    icon: IconChartBar,
    needs: null,
    page: room(() => import("./overview/overview_page")),
  },
];

export const DevicePage = room(() => import("./device/device_page"));

/** Where somebody starts: a technician scans, an operator looks who waits, a viewer looks at all. */
export function startOf(role: string): string {
  if (role === "technician" || role === "") return "/claim";
  return role === "viewer" ? "/overview" : "/waiting";
}
