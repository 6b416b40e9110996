// Sums up the runs of scripts/peer_figures.sh: medians of both, and their ratios beside those of the goals.
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";

const directory = process.argv[2];
const runs = (who) =>
  readdirSync(directory)
    .filter((name) => name.startsWith(`${who}-`))
    .map((name) => JSON.parse(readFileSync(join(directory, name), "utf8")));
const median = (numbers) => {
  const sorted = numbers.toSorted((a, b) => a - b);
  return (sorted[Math.floor((sorted.length - 1) / 2)] + sorted[Math.floor(sorted.length / 2)]) / 2;
};
const [kefu, peer] = [runs("kefu"), runs("peer")];

// The goals for kefu, and what the peer did where they were set: docs/PERFORMANCE.md.
const rows = [
  { what: "messages a second", field: "rate_per_s", goal: 22_000 / 7_315, digits: 0, more: true },
  { what: "p99 in ms", field: "p99_ms", goal: 60 / 122, digits: 1, more: false },
  { what: "server CPU seconds for 10,000", field: "server_cpu_s_per_10k", goal: 0.7 / 2.05, digits: 2, more: false },
];
for (const { what, field, goal, digits, more } of rows) {
  const [ours, theirs] = [kefu, peer].map((all) => all.map((run) => run[field]));
  const ratio = median(ours) / median(theirs);
  const verdict = (more ? ratio >= goal : ratio <= goal) ? "met" : "missed";
  const list = (numbers) => numbers.map((number) => number.toFixed(digits)).join(", ");
  console.log(`${what}: kefu ${list(ours)}; peer ${list(theirs)}; ratio ${ratio.toFixed(2)}, goal ${more ? ">=" : "<="} ${goal.toFixed(2)}: ${verdict}`);
}
