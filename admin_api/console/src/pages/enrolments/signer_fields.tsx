/** Fields of the form for a new enrolment: which CA issues the certificates of its devices. The API proves the key. */
import { NativeSelect, NumberInput, Textarea, TextInput } from "@mantine/core";
import { type Door, OWN_CA, type SignerDraft } from "./draft";

/** What the signer issues at each door (docs/enrolments.md, "Sign with your own CA"). */
const ISSUES: Record<Door, string> = {
  registration: "Issues the certificates of renewals; the first one is your production's",
  claim: "Issues the certificates of renewals; AWS IoT issues the first one, which is renewed in the target",
  token: "Issues all certificates of its devices, which must send a signing request",
};

interface Props {
  door: Door;
  signer: SignerDraft | null;
  onChange: (signer: SignerDraft | null) => void;
}

export function SignerFields({ door, signer, onChange }: Props) {
  const change = (part: Partial<SignerDraft>) => signer && onChange({ ...signer, ...part });
  return (
    <>
      <NativeSelect
        label="Certificates issued by"
        description={signer ? ISSUES[door] : "In renewals, and at the doors Claim certificate and Token"}
        size="md"
        value={signer ? "own" : "aws"}
        onChange={(event) => onChange(event.currentTarget.value === "own" ? OWN_CA : null)}
        data={[
          { value: "aws", label: "AWS IoT's CA" },
          { value: "own", label: "Own CA with its key in AWS KMS" },
        ]}
      />
      {signer && (
        <>
          <TextInput
            label="Key"
            description="The ARN of a key that the deployment names (./deploy.sh aws --signing-key)"
            placeholder="arn:aws:kms:…:key/…"
            size="md"
            value={signer.key}
            onChange={(event) => change({ key: event.currentTarget.value })}
          />
          <Textarea
            label="CA certificate"
            description="Of this key, in PEM. lobby-pki kms-ca creates one"
            placeholder="-----BEGIN CERTIFICATE-----"
            size="md"
            autosize
            minRows={3}
            maxRows={8}
            spellCheck={false}
            value={signer.ca}
            onChange={(event) => change({ ca: event.currentTarget.value })}
          />
          <NumberInput
            label="Days"
            description="How long certificates are valid, at most until the CA expires"
            size="md"
            min={1}
            max={36500}
            allowDecimal={false}
            value={signer.days}
            onChange={(days) => change({ days })}
          />
        </>
      )}
    </>
  );
}
