/** The mutations of one device. Their results refresh the page's query. */
import { graphql } from "../../api/graphql";

export const CLAIM = graphql(`
  mutation ClaimOne($certid: ID!, $target: TargetInput!, $profile: String, $config: JSON) {
    claimDevice(certid: $certid, target: $target, profile: $profile, config: $config) { certid devstate }
  }
`);

export const MOVE = graphql(`
  mutation Move(
    $certid: ID!, $target: TargetInput!, $profile: String, $config: JSON, $shadows: ShadowChoice
  ) {
    moveDevice(certid: $certid, target: $target, profile: $profile, config: $config, shadows: $shadows) {
      certid
      devstate
    }
  }
`);

export const CONFIGURE = graphql(`
  mutation Configure($certid: ID!, $config: JSON) {
    configureDevice(certid: $certid, config: $config) { certid devstate }
  }
`);

export const RELEASE = graphql(`
  mutation Release($certid: ID!) {
    releaseDevice(certid: $certid) { certid forgotten device { certid devstate } }
  }
`);

export const RETRY = graphql(`
  mutation Retry($certid: ID!) { retryDevice(certid: $certid) { certid devstate } }
`);

export const RENEW = graphql(`
  mutation Renew($certid: ID!) { renewDevice(certid: $certid) { certid devstate } }
`);

export const DISMISS = graphql(`
  mutation Dismiss($certid: ID!, $why: String!) { dismissSuspicion(certid: $certid, why: $why) { certid devstate } }
`);

export const QUARANTINE = graphql(`
  mutation Quarantine($certid: ID!, $why: String!) {
    quarantineDevice(certid: $certid, why: $why) { certid devstate }
  }
`);

export const LIFT = graphql(`
  mutation Lift($certid: ID!, $why: String!) { liftQuarantine(certid: $certid, why: $why) { certid devstate } }
`);

export const WITHDRAW = graphql(`
  mutation Withdraw($certid: ID!, $offer: String!) {
    withdrawTransfers(certids: [$certid], offer: $offer) { results { ok code message } }
  }
`);

export const REVOKE = graphql(`
  mutation Revoke($certid: ID!, $why: String!) { revokeDevice(certid: $certid, why: $why) { certid devstate } }
`);
