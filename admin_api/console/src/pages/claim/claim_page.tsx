import { PageHead } from "../../parts/page_head";

export default function ClaimPage() {
  return <PageHead title="Claim" />;
}
