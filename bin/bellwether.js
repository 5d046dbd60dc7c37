#!/usr/bin/env node
import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const main = new URL('../dist/cli/main.js', import.meta.url);
if (!existsSync(fileURLToPath(main))) {
  console.error(
    'bellwether is not built yet: run `npm start` (builds and starts a cluster) or `npm run build`.',
  );
  process.exit(1);
}
await import(main.href);
