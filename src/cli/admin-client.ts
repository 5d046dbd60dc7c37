import http from 'node:http';
import type { NodeStatus } from '../server/status-types.ts';

const answerMs = 1000;

/** What a node says of itself on its admin port; null when it does not answer soon. */
export function fetchStatus(address: string): Promise<NodeStatus | null> {
  return new Promise((resolve) => {
    const request = http.get(`http://${address}/status`, { timeout: answerMs, agent: false }, (response) => {
      const parts: Buffer[] = [];
      response.on('data', (part: Buffer) => parts.push(part));
      response.on('error', () => resolve(null));
      response.on('end', () => {
        try {
          resolve(JSON.parse(Buffer.concat(parts).toString('utf8')) as NodeStatus);
        } catch {
          resolve(null);
        }
      });
    });
    request.on('timeout', () => request.destroy());
    request.on('error', () => resolve(null));
  });
}
