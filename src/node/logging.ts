import fs from 'node:fs';
import { type DestinationStream, type Logger, pino, stdTimeFunctions } from 'pino';
import type { NodeConfig } from './config.ts';

const standardOutput = 1;

/** A JSON line of the log as a line for people: time, level, message, then the fields. */
export function textLine(line: string): string {
  const { level, time, node, msg, ...fields } = JSON.parse(line) as Record<string, unknown>;
  const rest = Object.entries(fields).map(
    ([name, value]) => ` ${name}=${typeof value === 'string' ? value : JSON.stringify(value)}`,
  );
  return `${String(time)} ${String(level).toUpperCase().padEnd(5)} ${String(node)} ${String(msg)}${rest.join('')}\n`;
}

/** Lines are written before the call returns, so that the last one of a process that ends is not lost. */
function destination(format: string): DestinationStream {
  if (format === 'json') return pino.destination({ fd: standardOutput, sync: true });
  return { write: (line) => void fs.writeSync(standardOutput, textLine(line)) };
}

export function createLogger(config: NodeConfig): Logger {
  return pino(
    {
      level: config['log-level'],
      base: { node: config.id },
      timestamp: stdTimeFunctions.isoTime,
      formatters: { level: (label) => ({ level: label }) },
    },
    destination(config['log-format']),
  );
}
