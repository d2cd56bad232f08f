/** The queries and mutations of campaigns. */
import { graphql, type ResultOf } from "../../api/graphql";

export const CAMPAIGN_LIST = graphql(`
  query CampaignList {
    campaigns(first: 50) {
      nodes {
        name operation state stoppedBecause source sourceCampaign undoes undoneBy createdBy createdAt approvedBy
        startedAt endedAt canary canaryArrived total changing expectedEnd waitsFor allowedActions
        target { account region } failures { code count }
        counts { pending waiting awaited done failed refused unchanged superseded }
      }
    }
  }
`);

export const PREVIEW_CAMPAIGN = graphql(`
  query PreviewCampaign($change: ChangeInput!, $devices: [ChosenDevice!], $filter: CampaignFilter) {
    previewCampaign(change: $change, devices: $devices, filter: $filter) {
      total changing unchanged refusals { code count } seconds limitedBy { account region } needsApproval
      pageInfo { hasNextPage }
    }
  }
`);

export const CREATE_CAMPAIGN = graphql(`
  mutation CreateCampaign(
    $name: String!, $change: ChangeInput!, $devices: [ChosenDevice!], $filter: CampaignFilter, $canary: Int!,
    $maxFailureRate: Float!
  ) {
    createCampaign(
      name: $name, change: $change, devices: $devices, filter: $filter, canary: $canary,
      maxFailureRate: $maxFailureRate
    ) { name state }
  }
`);

export const APPROVE_CAMPAIGN = graphql(`
  mutation ApproveCampaign($name: String!) { approveCampaign(name: $name) { name state } }
`);

export const PAUSE_CAMPAIGN = graphql(`
  mutation PauseCampaign($name: String!) { pauseCampaign(name: $name) { name state } }
`);

export const RESUME_CAMPAIGN = graphql(`
  mutation ResumeCampaign($name: String!) { resumeCampaign(name: $name) { name state } }
`);

export const CANCEL_CAMPAIGN = graphql(`
  mutation CancelCampaign($name: String!) { cancelCampaign(name: $name) { name state } }
`);

export const UNDO_CAMPAIGN = graphql(`
  mutation UndoCampaign($name: String!) { undoCampaign(name: $name) { name state } }
`);

export const CAMPAIGN_RESULTS = graphql(`
  query CampaignResults($name: String!, $after: String) {
    campaignResults(name: $name, first: 500, after: $after) {
      nodes {
        certid outcome code previousTarget { account region } previousProfile
        device { certid devicename devstate targetaccount targetregion }
      }
      pageInfo { hasNextPage endCursor }
    }
  }
`);

export type Campaign = ResultOf<typeof CAMPAIGN_LIST>["campaigns"]["nodes"][number];
export type Preview = ResultOf<typeof PREVIEW_CAMPAIGN>["previewCampaign"];
export type Result = ResultOf<typeof CAMPAIGN_RESULTS>["campaignResults"]["nodes"][number];
