/** Everything that the console asks of the public API. */

const STATS = "stats { audience pending sending sent delivered failed skipped heldOut cancelled deliveryRate }";

export const CONSOLE = `query Console {
  overview {
    customers orders revenue segments
    campaignsByStatus { status count }
    messagesLast30Days { audience sent delivered failed deliveryRate }
    recentCampaigns(first: 12) {
      id name status statusReason channel createdAt scheduledAt launchedAt completedAt
      segment { name }
      ${STATS}
    }
  }
  orders(first: 1) { nodes { currency } }
}`;

export const SEGMENTS = `query Segments {
  segments(first: 50) { nodes { id name description query audienceSize } }
}`;

export const PROGRESS = `subscription Progress($id: ID!) {
  campaignProgress(campaignId: $id) {
    campaign { id name }
    status ${STATS} messagesPerSecond etaSeconds at
  }
}`;

export const PREVIEW = `query Preview($query: String!) {
  previewSegment(definition: { query: $query }, sampleSize: 5) {
    rules query audienceSize
    sample { id name email externalId city totalSpend }
    userErrors { message }
  }
}`;

export const UNDERSTAND = `mutation Understand($prompt: String!) {
  generateSegmentRules(prompt: $prompt) {
    query explanation assumptions unmatched source
    alternatives { query explanation audienceSize }
    userErrors { message }
  }
}`;

export const SAVE = `mutation Save($input: CreateSegmentInput!) {
  createSegment(input: $input) { segment { id } userErrors { message } }
}`;
