/** The API operations that change many devices: the preview, and the change with a result for each device. */
import { graphql, type ResultOf } from "../../api/graphql";

export const PREVIEW_CHANGE = graphql(`
  query PreviewChange(
    $change: ChangeInput!
    $devices: [ChosenDevice!]
    $filter: DeviceFilter
    $first: Int!
    $after: String
  ) {
    previewChange(change: $change, devices: $devices, filter: $filter, first: $first, after: $after) {
      devices { certid ok changes code message generation state device { certid devicename devstate } }
      pageInfo { hasNextPage endCursor }
    }
  }
`);

export const CHANGE_DEVICES = graphql(`
  mutation ChangeDevices($change: ChangeInput!, $devices: [ChosenDevice!]!) {
    changeDevices(change: $change, devices: $devices) { results { certid ok code message forgotten } }
  }
`);

export type Previewed = ResultOf<typeof PREVIEW_CHANGE>["previewChange"]["devices"][number];
