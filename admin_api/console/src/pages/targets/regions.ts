/**
 * Regions with AWS IoT, with their locations, as suggestions; the API's list decides. A test checks their
 * format.
 */
export const IOT_REGIONS: Readonly<Record<string, string>> = {
  "ap-east-1": "Hong Kong",
  "ap-northeast-1": "Tokyo",
  "ap-northeast-2": "Seoul",
  "ap-south-1": "Mumbai",
  "ap-southeast-1": "Singapore",
  "ap-southeast-2": "Sydney",
  "ap-southeast-5": "Malaysia",
  "ca-central-1": "Canada",
  "eu-central-1": "Frankfurt",
  "eu-north-1": "Stockholm",
  "eu-south-1": "Milan",
  "eu-south-2": "Spain",
  "eu-west-1": "Ireland",
  "eu-west-2": "London",
  "eu-west-3": "Paris",
  "il-central-1": "Tel Aviv",
  "me-central-1": "United Arab Emirates",
  "me-south-1": "Bahrain",
  "sa-east-1": "São Paulo",
  "us-east-1": "North Virginia",
  "us-east-2": "Ohio",
  "us-west-1": "North California",
  "us-west-2": "Oregon",
};

/** Whether a suggestion matches the text: a part of its code or of its location. */
export function suggests(region: string, typed: string): boolean {
  const wanted = typed.trim().toLowerCase();
  return region.includes(wanted) || (IOT_REGIONS[region] ?? "").toLowerCase().includes(wanted);
}
