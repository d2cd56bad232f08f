/** The queries and mutations of the enrolments page. */
import { graphql, type ResultOf } from "../../api/graphql";

export const ENROLMENT_LIST = graphql(`
  query EnrolmentList {
    enrolments {
      name door state limit starts ends model admitted listLength createdBy createdAt
      match { ca subject { field value } namePattern listed }
      allocation { targets { account region weight } function profile presence }
      refusals { reason count }
      claimCertificates { certificateId state expires }
      signer { key days }
    }
  }
`);

export const CREATE_ENROLMENT = graphql(`
  mutation CreateEnrolment(
    $name: String!, $door: String!, $match: EnrolmentMatchInput!, $limit: Int, $ends: String, $model: String,
    $allocation: AllocationInput, $signer: SignerInput
  ) {
    createEnrolment(
      name: $name, door: $door, match: $match, limit: $limit, ends: $ends, model: $model, allocation: $allocation,
      signer: $signer
    ) { name }
  }
`);

export const PAUSE_ENROLMENT = graphql(`
  mutation PauseEnrolment($name: String!) { pauseEnrolment(name: $name) { name state } }
`);

export const RESUME_ENROLMENT = graphql(`
  mutation ResumeEnrolment($name: String!) { resumeEnrolment(name: $name) { name state } }
`);

export const REVOKE_ENROLMENT = graphql(`
  mutation RevokeEnrolment($name: String!) { revokeEnrolment(name: $name) { name state } }
`);

export const TOKEN_LIST = graphql(`
  query EnrolmentTokenList($enrolment: String!) {
    enrolmentTokens(enrolment: $enrolment) {
      identifier state expires maxUses uses lastUse thingName createdBy
    }
  }
`);

export const CREATE_TOKEN = graphql(`
  mutation CreateEnrolmentToken($enrolment: String!, $uses: Int!, $expires: String, $thingName: String) {
    createEnrolmentToken(enrolment: $enrolment, uses: $uses, expires: $expires, thingName: $thingName) {
      authorization
      token { identifier maxUses expires }
    }
  }
`);

export const REVOKE_TOKEN = graphql(`
  mutation RevokeEnrolmentToken($identifier: String!) {
    revokeEnrolmentToken(identifier: $identifier) { identifier state }
  }
`);

export type Token = ResultOf<typeof TOKEN_LIST>["enrolmentTokens"][number];
export type Enrolment = ResultOf<typeof ENROLMENT_LIST>["enrolments"][number];
