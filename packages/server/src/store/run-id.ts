import { randomBytes } from "node:crypto";

/** Crockford's base 32 in lower case: no i, l, o, u, so that an id survives being read aloud. Sorts as its values do. */
const alphabet = "0123456789abcdefghjkmnpqrstvwxyz";

/** 2024-01-01T00:00:00Z. Eight digits of base 32 count milliseconds from here until the year 2058. */
const epoch = Date.UTC(2024, 0, 1);
const randomRange = 2 ** 20;

let lastTick = 0;
let lastRandom = 0;

function digits(value: number, length: number): string {
  let text = "";
  for (let i = 0; i < length; i++) {
    text = alphabet[value % 32]! + text;
    value = Math.floor(value / 32);
  }
  return text;
}

/**
 * A new run id: eight characters of time, four of chance, `"2q8v0k3mx7ta"`.
 *
 * Ids sort by creation time. Within one process they are strictly increasing, so never equal, even where the clock
 * stands still or goes back. Two processes collide with probability 2⁻¹⁹ for each pair of ids born in the same
 * millisecond; the store then refuses the second run rather than mixing the two.
 */
export function createRunId(now: number = Date.now()): string {
  const tick = Math.max(Math.floor(now) - epoch, lastTick);
  if (tick === lastTick && lastRandom + 1 < randomRange) lastRandom++;
  else {
    // A tick whose random part is used up borrows the next one.
    lastTick = tick === lastTick ? tick + 1 : tick;
    // The upper half stays free for the ids that follow within the tick.
    lastRandom = randomBytes(4).readUInt32LE() % (randomRange / 2);
  }
  return digits(lastTick, 8) + digits(lastRandom, 4);
}

/** Ids that come from elsewhere (a config, another tracker) may use letters, digits, `_` and `-`, up to 64 of them. */
export function isRunId(id: string): boolean {
  return /^[A-Za-z0-9][A-Za-z0-9_-]{0,63}$/.test(id);
}
