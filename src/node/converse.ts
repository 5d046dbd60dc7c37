import net from 'node:net';
import { BellwetherError } from '../errors.ts';
import { encodeRequest, type Reply, ReplyParser } from '../resp/reply-parser.ts';

const answerMs = 5000;

/** Sends commands on a connection of their own, and answers their replies. */
export function converse(address: string, commands: readonly (readonly string[])[]): Promise<Reply[]> {
  const colon = address.lastIndexOf(':');
  const parser = new ReplyParser();
  const replies: Reply[] = [];
  return new Promise((resolve, reject) => {
    const fail = (what: string): void =>
      reject(new BellwetherError('BW_NOT_A_CLUSTER', `the node at ${address} ${what}`, 'See its log.'));
    const socket = net.connect({ host: address.slice(0, colon), port: Number(address.slice(colon + 1)) });
    socket.setTimeout(answerMs, () => {
      fail(`did not answer within ${answerMs} ms`);
      socket.destroy();
    });
    socket.on('connect', () => socket.write(Buffer.concat(commands.map((words) => encodeRequest(words)))));
    socket.on('data', (chunk: Buffer) => {
      parser.push(chunk);
      for (let reply = parser.next(); reply !== undefined; reply = parser.next()) replies.push(reply);
      if (replies.length < commands.length) return;
      resolve(replies);
      socket.destroy();
    });
    socket.on('error', (error) => fail(`cannot be reached (${error.message})`));
    socket.on('close', () => fail('closed the connection'));
  });
}
