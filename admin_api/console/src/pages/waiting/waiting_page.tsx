import { PageHead } from "../../parts/page_head";

export default function WaitingPage() {
  return <PageHead title="Waiting" />;
}
