// `node --import ./scripts/typescript.mjs program.ts`: runs TypeScript as it stands in the tree, without a build.
import { register } from 'node:module';

register('./typescript-hooks.mjs', import.meta.url);
