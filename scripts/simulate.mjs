// `npm run simulate -- --seeds 1000 --from 1`: runs whole clusters in virtual time; see src/sim/README.md.
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { root, setUp } from './setup.mjs';

setUp();
const { main } = await import(pathToFileURL(join(root, 'dist/sim/main.js')).href);
process.exitCode = main(process.argv.slice(2));
