import { errorCatalogue } from '../errors.ts';

/** docs/errors.md. */
export function errorsPage(): string {
  const rows = Object.entries(errorCatalogue).map(([code, meaning]) => `| \`${code}\` | ${meaning} |`);
  return `# Errors

Codes that appear in log lines and on the command line. A code never changes its meaning. Each message also says what
happened, with names and numbers, and what to do. Clients get Redis's own error replies; those that Bellwether adds are
in \`docs/guarantees.md\`.

This page is made from the table in \`src/errors.ts\` by \`npm run docs\`.

| code | meaning |
|---|---|
${rows.join('\n')}
`;
}
