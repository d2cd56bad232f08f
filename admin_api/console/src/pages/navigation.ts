/** The pages of the console: address, name, and who sees them in the menu. Loaded on demand. */
import {
  IconChartBar,
  IconDevices,
  IconDoorEnter,
  IconHistory,
  IconListCheck,
  IconMapPin,
  IconQrcode,
  IconSpeakerphone,
  IconUserCancel,
  IconWebhook,
} from "@tabler/icons-react";
import { type ComponentType, type LazyExoticComponent, lazy } from "react";
import { PageNotLoaded } from "../parts/page_not_loaded";
import { loadSignInDialog } from "../sign_in/sign_in_again";

type Load = () => Promise<{ default: ComponentType }>;

const loads: Load[] = [];

/** A page with all styles. The claim page, which must load fast, has its own. */
function lazyPage(load: Load): LazyExoticComponent<ComponentType> {
  return pageOf(async () => (await Promise.all([load(), import("../styles/rest")]))[0]);
}

function pageOf(load: Load): LazyExoticComponent<ComponentType> {
  loads.push(load);
  return lazy(() => load().catch((error: unknown) => Promise.reject(new PageNotLoaded(error))));
}

/** Loads all pages in advance, so that they open without a network. A page that fails is loaded when it opens. */
export function loadPages(): void {
  for (const load of [...loads, loadSignInDialog]) load().catch(() => undefined);
}

export interface NavItem {
  path: string;
  name: string;
  icon: typeof IconQrcode;
  /** The operation that the page requires; null: none. */
  needs: string | null;
  page: LazyExoticComponent<ComponentType>;
}

export const ClaimPage = pageOf(() => import("./claim/claim_page"));

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
    path: "/enrolments",
    name: "Enrolments",
    icon: IconListCheck,
    needs: "enrolments",
    page: lazyPage(() => import("./enrolments/enrolments_page")),
  },
  {
    path: "/campaigns",
    name: "Campaigns",
    icon: IconSpeakerphone,
    needs: "campaigns",
    page: lazyPage(() => import("./campaigns/campaigns_page")),
  },
  {
    path: "/overview",
    name: "Overview",
    icon: IconChartBar,
    needs: null,
    page: lazyPage(() => import("./overview/overview_page")),
  },
  {
    path: "/activity",
    name: "Activity",
    icon: IconHistory,
    needs: "activity",
    page: lazyPage(() => import("./activity/activity_page")),
  },
  {
    path: "/webhooks",
    name: "Webhooks",
    icon: IconWebhook,
    needs: "webhooks",
    page: lazyPage(() => import("./webhooks/webhooks_page")),
  },
  {
    path: "/users",
    name: "Blocked users",
    icon: IconUserCancel,
    needs: "blockedUsers",
    page: lazyPage(() => import("./users/users_page")),
  },
];

export const DevicePage = lazyPage(() => import("./device/device_page"));

export function isClaimPage(path: string): boolean {
  return /^\/claim\/?$/.test(path);
}

/** The start page of a role: technicians scan, operators see waiting devices, viewers see the overview. */
export function homeOf(role: string): string {
  if (role === "technician" || role === "") return "/claim";
  return role === "viewer" ? "/overview" : "/waiting";
}
