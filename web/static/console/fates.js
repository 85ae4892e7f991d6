/** What can have become of a message: in the order in which bars, charts and legends show it. */

export const FATES = [
  { key: "delivered", label: "Delivered" },
  { key: "failed", label: "Failed" },
  { key: "sent", label: "Awaiting receipt" },
  { key: "sending", label: "Being sent" },
  { key: "pending", label: "Waiting" },
  { key: "skipped", label: "Skipped" },
  { key: "heldOut", label: "Held out" },
  { key: "cancelled", label: "Cancelled" },
];

/** The campaign statuses in which figures still move. */
export const LIVE = new Set(["SCHEDULED", "PLANNING", "RUNNING", "PAUSED"]);
