/**
 * The template of a target for owners who deploy with their own tools: copy, download, or open AWS's console.
 * It contains the target's ExternalId and its link is valid for an hour, so it is loaded only on request.
 */
import { Anchor, Button, Code, Group, SegmentedControl, Stack, Text } from "@mantine/core";
import { IconDownload, IconExternalLink } from "@tabler/icons-react";
import { useState } from "react";
import { useQuery } from "urql";
import { failureOf } from "../../api/failures";
import { FailureNotice } from "../../parts/failure_notice";
import { Copy } from "../../parts/fingerprint";
import { Loading } from "../../parts/loading";
import { saveFile } from "../../parts/save_file";
import type { TargetName } from "../../parts/targets";
import { TARGET_TEMPLATE } from "./operations";
import classes from "./targets.module.css";

type Format = "CLOUDFORMATION" | "TERRAFORM";

export function Templates({ target }: { target: TargetName }) {
  const [format, setFormat] = useState<Format>("CLOUDFORMATION");
  const [{ data, error, stale, fetching }, again] = useQuery({
    query: TARGET_TEMPLATE,
    variables: { account: target.account, region: target.region, format },
    requestPolicy: "network-only",
  });
  return (
    <Stack gap="xs">
      <SegmentedControl
        aria-label="Format"
        value={format}
        onChange={(value) => setFormat(value as Format)}
        data={[
          { value: "CLOUDFORMATION", label: "CloudFormation" },
          { value: "TERRAFORM", label: "Terraform" },
        ]}
      />
      {error && (
        <FailureNotice failure={failureOf(error)} onRetry={() => again({ requestPolicy: "network-only" })} />
      )}
      {!error && (!data || fetching || stale) && <Loading what="template" />}
      {!error && data && !fetching && !stale && <Template {...data.targetTemplate} />}
    </Stack>
  );
}

interface TemplateProps {
  fileName: string;
  content: string;
  quickCreateUrl: string | null;
}

function Template({ fileName, content, quickCreateUrl }: TemplateProps) {
  return (
    <>
      <Code block className={classes.template} tabIndex={0} aria-label={fileName} role="group">
        {content}
      </Code>
      <Group gap="xs">
        <Button
          variant="default"
          leftSection={<IconDownload size={16} aria-hidden />}
          onClick={() => saveFile(content, fileName, "text/plain;charset=utf-8")}
        >
          Download
        </Button>
        <Copy text={content} what="template" />
        {quickCreateUrl && (
          <>
            <Anchor href={quickCreateUrl} target="_blank" rel="noreferrer" size="sm">
              Create the stack in the AWS console <IconExternalLink size={14} aria-hidden />
            </Anchor>
            <Copy text={quickCreateUrl} what="link" />
          </>
        )}
      </Group>
      <Text size="xs" c="dimmed">
        It contains the target's ExternalId. Share it only with the owner of the account.
        {quickCreateUrl && " The link is valid for an hour; the page works in the owner's account only."}
      </Text>
    </>
  );
}
