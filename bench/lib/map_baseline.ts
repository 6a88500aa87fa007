/**
 * The map of counts that one would write by hand: the least that counting costs.
 *
 * @module
 */

/** Admits up to `max` at once of each text, and returns what frees. No address is parsed, every text is a client. */
export function mapBaseline(max: number): (ip: string) => (() => void) | undefined {
  const counts = new Map<string, number>();
  return (ip) => {
    const open = counts.get(ip) ?? 0;
    if (open >= max) return undefined;
    counts.set(ip, open + 1);
    let freed = false;
    return () => {
      if (freed) return;
      freed = true;
      const left = counts.get(ip)! - 1;
      if (left === 0) counts.delete(ip);
      else counts.set(ip, left);
    };
  };
}
