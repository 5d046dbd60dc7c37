import { spawn } from 'node:child_process';
import { program, type TestNode } from './cluster.ts';

interface Finished {
  readonly code: number | null;
  /** What it wrote to both of its outputs. */
  readonly output: string;
}

/** `bellwether …` against these nodes, to its end. */
export async function commandLine(nodes: readonly TestNode[], words: readonly string[]): Promise<Finished> {
  const admin = nodes.map(({ adminPort }) => `127.0.0.1:${adminPort}`).join(',');
  const child = spawn(process.execPath, [program, ...words, '--admin', admin]);
  let output = '';
  for (const stream of [child.stdout, child.stderr])
    stream.on('data', (text: Buffer) => {
      output += text.toString();
    });
  const code = await new Promise<number | null>((resolve) => child.on('close', resolve));
  return { code, output };
}
