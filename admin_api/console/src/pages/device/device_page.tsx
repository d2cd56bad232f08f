import { PageHead } from "../../parts/page_head";

export default function DevicePage() {
  return <PageHead title="Device" />;
}
