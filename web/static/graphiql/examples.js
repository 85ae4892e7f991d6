/** The tabs that GraphiQL opens with: the main job, from nothing to a campaign seen live, in the order of the tabs. */

const SIGN_UP = `# 1. Make an account, or use the button at the top right.
# The tokens in the answer sign this page in: all that follows is sent with them, over HTTP and WebSocket.

mutation SignUp($input: RegisterInput!) {
  register(input: $input) {
    accessToken
    refreshToken
    expiresAt
    user { id email name role }
    userErrors { field code message }
  }
}
`;

const INGEST = `# 2. Bring in customers and what they bought.
# Sending the same records again changes nothing and counts nothing twice.

mutation Ingest($customers: [CustomerInput!]!, $orders: [OrderInput!]!) {
  ingestCustomers(input: $customers) {
    created
    updated
    unchanged
    failed
    results(outcomes: [FAILED]) { index userErrors { field code message } }
    userErrors { message }
  }
  ingestOrders(input: $orders) {
    created
    updated
    unchanged
    failed
    results(outcomes: [FAILED]) { index userErrors { field code message } }
    userErrors { message }
  }
}
`;

const PREVIEW = `# 3. Say in the segment query language who is meant, and see who that is. Nothing is stored.

query PreviewQuery($query: String!) {
  previewSegment(definition: { query: $query }, sampleSize: 5) {
    audienceSize
    sample { name city totalSpend lastPurchase }
    userErrors { message }
  }
}
`;

const LAUNCH = `# 4. Save a segment, make a campaign for it, launch it: run the three from top to bottom.
# Leave $segmentId and $campaignId out, and this page fills in the ones made last.

mutation SaveSegment($query: String!, $segmentName: String!) {
  createSegment(input: { name: $segmentName, definition: { query: $query } }) {
    segment { id name query audienceSize }
    userErrors { field code message }
  }
}

mutation MakeCampaign($segmentId: ID!, $campaignName: String!, $body: String!) {
  createCampaign(input: { name: $campaignName, segmentId: $segmentId, channel: SMS, body: $body }) {
    campaign { id name status }
    userErrors { field code message }
  }
}

mutation Launch($campaignId: ID!) {
  launchCampaign(id: $campaignId) {
    campaign { id status launchedAt }
    userErrors { field code message }
  }
}
`;

const WATCH = `# 5. Watch it go out: the present state first, then every change, until the campaign has ended.

subscription Watch($campaignId: ID!) {
  campaignProgress(campaignId: $campaignId) {
    status
    stats { audience pending sending sent delivered failed skipped heldOut deliveryRate }
    messagesPerSecond
    etaSeconds
    at
  }
}
`;

const RECENT_BUYERS = "totalSpend > 100 AND lastPurchase >= 90 days ago";

export const EXAMPLES = {
  signUp: tab(SIGN_UP, { input: { name: "Asha Rao", email: "asha@example.com", password: "" } }),
  ingest: tab(INGEST, { customers: customers(), orders: orders() }),
  preview: tab(PREVIEW, { query: RECENT_BUYERS }),
  launch: tab(LAUNCH, {
    query: RECENT_BUYERS,
    segmentName: "Recent buyers",
    campaignName: "Thank you",
    body: 'Hi {{ customer.firstName | default: "there" }}, thank you for shopping with us!',
  }),
  watch: tab(WATCH, {}),
};

/** The address of the GraphiQL page with this example in front. */
export function linkTo({ query, variables }) {
  return `/graphql#${new URLSearchParams({ query, variables })}`;
}

function tab(query, variables) {
  return { query, variables: JSON.stringify(variables, null, 2) };
}

function customers() {
  return [
    { externalId: "C-1001", name: "Meera Iyer", phone: "+919876543210", city: "Pune", smsConsent: "SUBSCRIBED" },
    { externalId: "C-1002", name: "Jonas Weber", phone: "+4915123456789", city: "Berlin", smsConsent: "SUBSCRIBED" },
    { externalId: "C-1003", name: "Lena Okafor", phone: "+2348031234567", city: "Lagos", smsConsent: "SUBSCRIBED" },
  ];
}

function orders() {
  return [
    { externalId: "O-5001", customer: { externalId: "C-1001" }, placedAt: daysAgo(3), amount: "149.90" },
    { externalId: "O-5002", customer: { externalId: "C-1002" }, placedAt: daysAgo(40), amount: "220.00" },
    { externalId: "O-5003", customer: { externalId: "C-1003" }, placedAt: daysAgo(200), amount: "75.50" },
  ];
}

function daysAgo(days) {
  const day = new Date();
  day.setUTCHours(12, 0, 0, 0);
  day.setUTCDate(day.getUTCDate() - days);
  return day.toISOString();
}
