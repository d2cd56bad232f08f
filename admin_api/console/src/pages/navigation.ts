/** The pages of the console: address, name, and who sees them in the menu. Loaded on demand. */
import { IconChartBar, IconDevices, IconDoorEnter, IconMapPin, IconQrcode } from "@tabler/icons-react";
import { type ComponentType, type LazyExoticComponent, lazy } from "react";

/** A page with all styles. The claim page, which must load fast, has its own. */
function lazyPage(load: () => Promise<{ default: ComponentType }>): LazyExoticComponent<ComponentType> {
  return lazy(async () => (await Promise.all([load(), import("../styles/rest")]))[0]);
}

export interface NavItem {
  path: string;
  name: string;
  icon: typeof IconQrcode;
  /** The operation that the page requires; null: none. */
  needs: string | null;
  page: LazyExoticComponent<ComponentType>;
}

export const ClaimPage = lazy(() => import("./claim/claim_page"));

export const NAV_ITEMS: readonly NavItem[] = [
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
    page: lazyPage(() => import("./waiting/waiting_page")),
  },
  {
    path: "/devices",
    name: "Devices",
    icon: IconDevices,
    needs: null,
    page: lazyPage(() => import("./devices/devices_page")),
  },
  {
    path: "/targets",
    name: "Targets",
    icon: IconMapPin,
    needs: null,
    page: lazyPage(() => import("./targets/targets_page")),
  },
  {
    path: "/overview",
    name: "Overview",
    icon: IconChartBar,
    needs: null,
    page: lazyPage(() => import("./overview/overview_page")),
  },
];

export const DevicePage = lazyPage(() => import("./device/device_page"));

/** The start page of a role: technicians scan, operators see waiting devices, viewers see the overview. */
export function homeOf(role: string): string {
  if (role === "technician" || role === "") return "/claim";
  return role === "viewer" ? "/overview" : "/waiting";
}
