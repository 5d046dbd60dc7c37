// `npm run docs`: writes the pages that are made from tables in the source. With a name, only that page.
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { root, setUp } from './setup.mjs';

setUp();
const built = (path) => import(pathToFileURL(join(root, 'dist', path)).href);
const pages = {
  configuration: async () => (await built('node/option-docs.js')).configurationPage(),
  compatibility: async () => (await built('node/compatibility-docs.js')).compatibilityPage(),
  metrics: async () => (await built('node/metric-docs.js')).metricsPage(),
  errors: async () => (await built('node/error-docs.js')).errorsPage(),
};
const wanted = process.argv[2];
if (wanted !== undefined && pages[wanted] === undefined) {
  console.error(`There is no page '${wanted}': ${Object.keys(pages).join(', ')}.`);
  process.exit(2);
}
mkdirSync(join(root, 'docs'), { recursive: true });
for (const [name, make] of Object.entries(pages)) {
  if (wanted !== undefined && wanted !== name) continue;
  writeFileSync(join(root, 'docs', `${name}.md`), await make());
  console.log(`docs/${name}.md`);
}
