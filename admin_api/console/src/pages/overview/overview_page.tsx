import { PageHead } from "../../parts/page_head";

export default function OverviewPage() {
  return <PageHead title="Overview" />;
}
