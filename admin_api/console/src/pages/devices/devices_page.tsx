import { PageHead } from "../../parts/page_head";

export default function DevicesPage() {
  return <PageHead title="Devices" />;
}
