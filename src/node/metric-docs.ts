import { labelsOf, metrics } from '../server/metrics.ts';

/** docs/metrics.md. */
export function metricsPage(): string {
  const rows = metrics.map(([name, help]) => {
    const labels = labelsOf(name).map((label) => `\`${label}\``);
    return `| \`${name}\` | ${labels.join(', ')} | ${help} |`;
  });
  return `# Metrics

What \`http://<admin-listen>/metrics\` answers, in Prometheus's text format, beside the usual metrics of a Node.js process
(\`process_*\`, \`nodejs_*\`). Everything is collected when it is asked for.

**Lag** is measured on both sides, for three stages: what has *received*, i.e. arrived, what is *flushed*, i.e. durable,
what is *applied*, i.e. seen by readers. Entries and bytes count what is lacking of the leader's log. Milliseconds say how
long ago nothing was lacking, as far as is known:

- 0 while nothing is lacking and both sides hear each other, however long nothing is written;
- growing with the clock while the other side is silent, also when nothing is known to be lacking. Silence begins after
  three heartbeats (150 ms by default), and a delay of the network below that shows only while there are writes;
- counted at most from when the leader's term, or the follower's process, began: nobody knows more.

\`bellwether_follower_lag_*\` are what a leader knows of each follower, \`bellwether_lag_*\` what a follower knows of itself,
by the newest end of the leader's log that it heard of. \`bellwether_proven_age_ms\` is what \`bounded\` reads are judged by.

| metric | labels | what it is |
|---|---|---|
${rows.join('\n')}

This page is made from the table in \`src/server/metrics.ts\` by \`npm run docs\`.
`;
}
