/** The tabs that GraphiQL opens with: the main job, from nothing to a campaign seen live, in the order of the tabs. */

const SIGN_UP = `# 1. Choose a password below, and sign up.
# Who has an account signs in at the top right.
# What follows is sent as whom the answer names,
# over HTTP and WebSocket.

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
# The same records sent again change nothing,
# and nothing is counted twice.

mutation Ingest(
  $customers: [CustomerInput!]!
  $orders: [OrderInput!]!
) {
  ingestCustomers(input: $customers) {
    created
    updated
    unchanged
    failed
    results(outcomes: [FAILED]) {
      index
      userErrors { field code message }
    }
    userErrors { message }
  }
  ingestOrders(input: $orders) {
    created
    updated
    unchanged
    failed
    results(outcomes: [FAILED]) {
      index
      userErrors { field code message }
    }
    userErrors { message }
  }
}
`;

const PREVIEW = `# 3. Say who is meant, and see who that is.
# Nothing is stored. The answer says by which
# query: the next step saves that.

query PreviewSentence($sentence: String!) {
  previewSegment(
    definition: { prompt: $sentence }
    sampleSize: 5
  ) {
    query
    audienceSize
    sample { name city totalSpend lastPurchase }
    userErrors { message }
  }
}
`;

const LAUNCH = `# 4. Save a segment, make a campaign for it,
# launch it: run the three from top to bottom.
# $segmentId and $campaignId, left out, are
# those of what was made last.

mutation SaveSegment(
  $query: String!
  $segmentName: String!
) {
  createSegment(
    input: {
      name: $segmentName
      definition: { query: $query }
    }
  ) {
    segment { id name query audienceSize }
    userErrors { field code message }
  }
}

mutation MakeCampaign(
  $segmentId: ID!
  $campaignName: String!
  $body: String!
) {
  createCampaign(
    input: {
      name: $campaignName
      segmentId: $segmentId
      channel: SMS
      body: $body
    }
  ) {
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

const WATCH = `# 5. Watch it go out: the present state first,
# then every change, until it has ended.

subscription Watch($campaignId: ID!) {
  campaignProgress(campaignId: $campaignId) {
    status
    stats {
      audience pending sending sent delivered
      failed skipped heldOut deliveryRate
    }
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
  preview: tab(PREVIEW, { sentence: "spent over 100 and bought in the last 90 days" }),
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
