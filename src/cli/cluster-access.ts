import path from 'node:path';
import { BellwetherError } from '../errors.ts';
import { converse } from '../node/converse.ts';
import type { Reply } from '../resp/reply-parser.ts';
import { ReplyError } from '../resp/reply-parser.ts';
import { fetchStatus } from './admin-client.ts';
import { type Flags, usageError } from './arguments.ts';
import { readPlan } from './cluster-plan.ts';
import type { AskedNode } from './cluster-view.ts';

const defaultAdmin = '127.0.0.1:7201,127.0.0.1:7202,127.0.0.1:7203';

/** Flags of commands that ask the nodes of a cluster. */
export const accessFlags: Flags = {
  admin: {
    form: 'host:port,…',
    help: 'Admin addresses of the nodes. Without it: those of the cluster that was started in --dir.',
  },
  dir: { form: 'path', default: '.bellwether', help: "Data directory of 'bellwether up'." },
};

/** Flags of commands that tell the nodes to do something. */
export const controlFlags: Flags = {
  ...accessFlags,
  password: { form: 'text', help: 'Password of the nodes; without it, what BELLWETHER_PASSWORD holds.' },
};

/** A node by its admin address. */
interface Target {
  readonly name: string;
  readonly admin: string;
}

/** The nodes of a running cluster, as a command was told to find them. */
export class ClusterAccess {
  readonly #targets: readonly Target[];
  readonly #password: string;

  /** Throws BW_CONFIG_INVALID when an address is none. */
  constructor(given: Readonly<Record<string, string>>, command: string) {
    this.#password = given['password'] ?? process.env['BELLWETHER_PASSWORD'] ?? '';
    const { admin } = given;
    const plan = admin === undefined ? readPlan(path.resolve(given['dir'] ?? '.bellwether')) : null;
    if (plan !== null)
      this.#targets = plan.nodes
        .filter(({ left }) => left !== true)
        .map(({ id, admin: address }) => ({ name: id, admin: address }));
    else
      this.#targets = (admin ?? defaultAdmin).split(',').map((address) => {
        if (!/^.+:\d+$/.test(address))
          throw usageError(`--admin has '${address}', which is no host:port`, command);
        return { name: address, admin: address };
      });
  }

  get addresses(): string {
    return this.#targets.map(({ admin }) => admin).join(', ');
  }

  /** What every node says of itself now. */
  async ask(): Promise<AskedNode[]> {
    return await Promise.all(
      this.#targets.map(async ({ name, admin }) => ({ name, status: await fetchStatus(admin) })),
    );
  }

  /** The same. Rejects with BW_NOT_A_CLUSTER when no node answers. */
  async askAny(): Promise<AskedNode[]> {
    const asked = await this.ask();
    if (asked.some(({ status }) => status !== null)) return asked;
    throw new BellwetherError(
      'BW_NOT_A_CLUSTER',
      `no node answers at ${this.addresses}`,
      "Start one with 'bellwether up', or say with --admin where the nodes are.",
    );
  }

  /** Sends a node one command. Rejects with BW_REFUSED when it answers an error. */
  async tell(client: string, ...words: readonly string[]): Promise<Reply> {
    return (await this.tellAll(client, [words])).at(-1) ?? null;
  }

  /** The same with several commands. */
  async tellAll(client: string, commands: readonly (readonly string[])[]): Promise<Reply[]> {
    const login = this.#password === '' ? [] : [['AUTH', this.#password]];
    const replies = await converse(client, [...login, ...commands]);
    const refused = replies.find((reply) => reply instanceof ReplyError);
    if (refused instanceof ReplyError)
      throw new BellwetherError(
        'BW_REFUSED',
        `the node at ${client} answers: ${refused.message}`,
        "See 'bellwether status', or its log.",
      );
    return replies.slice(login.length);
  }
}
