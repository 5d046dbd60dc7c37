/** What a Node.js program imports: a node of a cluster, in its own process. */
export { BellwetherError, type ErrorCode } from './errors.ts';
export { loadConfig, type NodeConfig, type OptionTexts } from './node/config.ts';
export { BellwetherNode } from './node/node.ts';
