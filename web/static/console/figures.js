/** How figures are written: for people, in the browser's own manner. */

const COUNT = new Intl.NumberFormat();
const COMPACT = new Intl.NumberFormat(undefined, { notation: "compact" });
const SHARE = new Intl.NumberFormat(undefined, { style: "percent", maximumFractionDigits: 1 });
const DAY = new Intl.DateTimeFormat(undefined, { day: "numeric", month: "short" });
const MOMENT = new Intl.DateTimeFormat(undefined, {
  day: "numeric",
  month: "short",
  hour: "2-digit",
  minute: "2-digit",
});

export const count = (number) => COUNT.format(number);
export const compact = (number) => COMPACT.format(number);
export const share = (fraction) => SHARE.format(fraction);
export const day = (instant) => DAY.format(new Date(instant));
export const moment = (instant) => MOMENT.format(new Date(instant));

/** "1 customer", "2 customers". */
export const counted = (number, noun) => `${count(number)} ${noun}${number === 1 ? "" : "s"}`;

/** An exact decimal in whole units; the currency is unknown until there has been an order. */
export function money(decimal, currency) {
  const style = currency ? { style: "currency", currency } : {};
  return new Intl.NumberFormat(undefined, { ...style, maximumFractionDigits: 0 }).format(decimal);
}

/** "40 s", "3 min", "2 h 5 min". */
export function duration(seconds) {
  const minutes = Math.round(seconds / 60);
  if (seconds < 90) return `${Math.max(0, Math.ceil(seconds))} s`;
  if (minutes < 60) return `${minutes} min`;
  return minutes % 60 ? `${Math.floor(minutes / 60)} h ${minutes % 60} min` : `${minutes / 60} h`;
}
