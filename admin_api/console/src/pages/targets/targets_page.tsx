import { PageHead } from "../../parts/page_head";

export default function TargetsPage() {
  return <PageHead title="Targets" />;
}
