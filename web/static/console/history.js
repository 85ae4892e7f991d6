/** What this page has seen of each campaign, as points in time. */

const MOST_POINTS = 400; // about one for every two pixels of the widest chart

export class History {
  #points = new Map();

  /** Adds an event; an ever longer campaign is kept at an ever coarser step. */
  record({ campaign, at, stats }) {
    const points = this.of(campaign.id);
    points.push({ at: Date.parse(at), stats });
    this.#points.set(campaign.id, points.length > MOST_POINTS ? points.filter(everyOther) : points);
  }

  /** The points of one campaign, oldest first. */
  of(id) {
    return this.#points.get(id) ?? [];
  }
}

function everyOther(point, index, points) {
  return index % 2 === 0 || index === points.length - 1;
}
