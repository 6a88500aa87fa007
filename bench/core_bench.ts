import { Limiter } from "../mod.ts";
const N = 10_000;
const v4 = Array.from({ length: N }, (_, i) => `10.${i >> 8 & 255}.${i & 255}.${1 + (i % 250)}`);
const v6 = Array.from(
  { length: N },
  (_, i) => `2001:db8:${(i >> 4).toString(16)}:${(i & 15).toString(16)}::${(i % 250 + 1).toString(16)}`,
);

function handMade(max: number) {
  const counts = new Map<string, number>();
  return (ip: string): (() => void) | undefined => {
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
const map4 = handMade(100), map6 = handMade(100);
const l4 = new Limiter(), l6 = new Limiter();

const held: any[] = Array.from({ length: N }, () => undefined);
function round(acc: (ip: string) => any, rel: (x: any) => void, ips: string[]) {
  return () => {
    for (let i = 0; i < N; i++) held[i] = acc(ips[i]!);
    for (let i = 0; i < N; i++) rel(held[i]);
  };
}
Deno.bench("map 4", { group: "a", baseline: true }, () => {
  for (let i = 0; i < N; i++) held[i] = map4(v4[i]!);
  for (let i = 0; i < N; i++) held[i]();
});
Deno.bench("limiter 4", { group: "a" }, () => {
  for (let i = 0; i < N; i++) held[i] = l4.tryAccept(v4[i]!);
  for (let i = 0; i < N; i++) held[i].release();
});
Deno.bench("map 6", { group: "b", baseline: true }, () => {
  for (let i = 0; i < N; i++) held[i] = map6(v6[i]!);
  for (let i = 0; i < N; i++) held[i]();
});
Deno.bench("limiter 6", { group: "b" }, () => {
  for (let i = 0; i < N; i++) held[i] = l6.tryAccept(v6[i]!);
  for (let i = 0; i < N; i++) held[i].release();
});
const f = new Limiter({ maxPerClient: 1 });
f.accept("192.0.2.77");
Deno.bench("refuse", { group: "c" }, () => {
  for (let i = 0; i < N; i++) f.tryAccept("192.0.2.77");
});
