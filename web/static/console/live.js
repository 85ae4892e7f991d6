/** Follows the campaigns that are moving, one subscription each. */

import { watch } from "../api.js";
import { LIVE } from "./fates.js";
import { PROGRESS } from "./queries.js";

export class Following {
  #stops = new Map();
  #take;

  /** `take` is called with every event. */
  constructor(take) {
    this.#take = take;
  }

  /** Follows those of these campaigns that are live, and no others. One whose subscription broke is taken up again. */
  only(campaigns) {
    const live = new Set(campaigns.filter(({ status }) => LIVE.has(status)).map(({ id }) => id));
    for (const [id, stop] of this.#stops) {
      if (live.has(id)) continue;
      stop();
      this.#stops.delete(id);
    }
    for (const id of live) {
      if (!this.#stops.has(id)) this.#stops.set(id, this.#follow(id));
    }
  }

  #follow(id) {
    const next = ({ campaignProgress }) => this.#take(campaignProgress);
    return watch(PROGRESS, { id }, next, () => this.#stops.delete(id));
  }
}
