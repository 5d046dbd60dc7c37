import { createHmac, randomBytes, timingSafeEqual } from 'node:crypto';
import { MalformedBytes } from '../bytes/byte-reader.ts';
import {
  type Challenge,
  decodeChallenge,
  decodeHello,
  decodeProof,
  decodeRefusal,
  encodeChallenge,
  encodeHello,
  encodeProof,
  encodeRefusal,
  type Hello,
  handshakeType,
  handshakeTypeOf,
  nonceBytes,
  protocolVersion,
  type Refusal,
  type RefusalCode,
} from './handshake-frames.ts';
import type { Lane, PeerIdentity } from './types.ts';

/**
 * The talk before any message, in four frames:
 *
 *   dialler:  hello (who, whom it wants, nonce)    acceptor: challenge (who, nonce)
 *   dialler:  proof                                acceptor: welcome (proof)
 *
 * Either side may answer with a refusal instead. A proof is an HMAC over its role and both opening frames, so it
 * covers both identities, both nonces and the lane, and serves no other connection and no other role. The dialler
 * proves first: who merely connects to a node learns nothing that helps in guessing the secret.
 */
export interface LocalNode {
  readonly identity: PeerIdentity;
  /** Null: nothing is proved, and a peer that has a secret is refused. */
  readonly secret: string | null;
}

export type HandshakeStep =
  | { readonly kind: 'continue'; readonly send: Buffer }
  | {
      readonly kind: 'established';
      readonly send: Buffer | null;
      readonly peer: PeerIdentity;
      readonly lane: Lane;
    }
  /** This side refuses and says so to the other. */
  | {
      readonly kind: 'refuse';
      readonly send: Buffer;
      readonly refusal: Refusal;
      readonly peer: string | null;
    }
  | { readonly kind: 'refused'; readonly refusal: Refusal };

/** The dialling end. `receive` throws `MalformedBytes` when the other end does not keep to the protocol. */
export class DialHandshake {
  readonly hello: Buffer;
  readonly #local: LocalNode;
  readonly #target: string;
  readonly #lane: Lane;
  #challenge: { frame: Buffer; identity: PeerIdentity } | null = null;

  constructor(local: LocalNode, target: string, lane: Lane) {
    this.#local = local;
    this.#target = target;
    this.#lane = lane;
    const hasSecret = local.secret !== null;
    this.hello = encodeHello({
      identity: local.identity,
      target,
      lane,
      hasSecret,
      nonce: randomBytes(nonceBytes),
    });
  }

  receive(frame: Buffer): HandshakeStep {
    switch (handshakeTypeOf(frame)) {
      case handshakeType.refusal:
        return { kind: 'refused', refusal: decodeRefusal(frame) };
      case handshakeType.challenge:
        if (this.#challenge !== null) break;
        return this.#challenged(frame);
      case handshakeType.welcome:
        if (this.#challenge === null) break;
        return this.#welcomed(frame, this.#challenge);
    }
    throw new MalformedBytes(`a handshake frame of type ${handshakeTypeOf(frame)} out of place`, 6);
  }

  #challenged(frame: Buffer): HandshakeStep {
    const challenge = decodeChallenge(frame);
    if ('version' in challenge) return refuse(otherVersion(challenge.version), this.#target);
    const refusal = this.#judge(challenge);
    if (refusal !== null) return refuse(refusal, challenge.identity.node);
    this.#challenge = { frame: Buffer.from(frame), identity: challenge.identity };
    const proof = prove(this.#local.secret, 'dialler', this.hello, frame);
    return { kind: 'continue', send: encodeProof(handshakeType.proof, proof) };
  }

  #judge({ identity, hasSecret }: Challenge): Refusal | null {
    const local = this.#local;
    if (isSame(identity, local.identity)) return itself(this.#target);
    if (identity.cluster !== local.identity.cluster) return otherCluster(identity, local.identity);
    if (identity.node !== this.#target) return otherTarget(this.#target, identity.node);
    return secretsDiffer(local, hasSecret, identity.node);
  }

  #welcomed(frame: Buffer, challenge: { frame: Buffer; identity: PeerIdentity }): HandshakeStep {
    const expected = prove(this.#local.secret, 'acceptor', this.hello, challenge.frame);
    if (!sameBytes(decodeProof(frame), expected))
      return refuse(wrongProof(challenge.identity.node), this.#target);
    return { kind: 'established', send: null, peer: challenge.identity, lane: this.#lane };
  }
}

/** The accepting end. `receive` throws `MalformedBytes` when the other end does not keep to the protocol. */
export class AcceptHandshake {
  readonly #local: LocalNode;
  readonly #judgePeer: (peer: PeerIdentity) => Refusal | null;
  #opened: { hello: Hello; helloFrame: Buffer; challengeFrame: Buffer } | null = null;

  /** @param judgePeer why a peer of this cluster may not come in now, if so */
  constructor(local: LocalNode, judgePeer: (peer: PeerIdentity) => Refusal | null) {
    this.#local = local;
    this.#judgePeer = judgePeer;
  }

  receive(frame: Buffer): HandshakeStep {
    switch (handshakeTypeOf(frame)) {
      case handshakeType.refusal:
        return { kind: 'refused', refusal: decodeRefusal(frame) };
      case handshakeType.hello:
        if (this.#opened !== null) break;
        return this.#greeted(frame);
      case handshakeType.proof:
        if (this.#opened === null) break;
        return this.#proved(frame, this.#opened);
    }
    throw new MalformedBytes(`a handshake frame of type ${handshakeTypeOf(frame)} out of place`, 6);
  }

  #greeted(frame: Buffer): HandshakeStep {
    const hello = decodeHello(frame);
    if ('version' in hello) return refuse(otherVersion(hello.version), null);
    const refusal = this.#judge(hello);
    if (refusal !== null) return refuse(refusal, hello.identity.node);
    const { identity, secret } = this.#local;
    const send = encodeChallenge({ identity, hasSecret: secret !== null, nonce: randomBytes(nonceBytes) });
    this.#opened = { hello, helloFrame: Buffer.from(frame), challengeFrame: send };
    return { kind: 'continue', send };
  }

  #judge({ identity, target, hasSecret }: Hello): Refusal | null {
    const local = this.#local;
    const own = local.identity;
    if (isSame(identity, own)) return itself(target);
    if (identity.cluster !== own.cluster) return otherCluster(identity, own);
    if (target !== own.node) return otherTarget(target, own.node);
    if (identity.node === own.node) return twin(own.node);
    return this.#judgePeer(identity) ?? secretsDiffer(local, hasSecret, identity.node);
  }

  #proved(
    frame: Buffer,
    opened: { hello: Hello; helloFrame: Buffer; challengeFrame: Buffer },
  ): HandshakeStep {
    const { hello, helloFrame, challengeFrame } = opened;
    const expected = prove(this.#local.secret, 'dialler', helloFrame, challengeFrame);
    if (!sameBytes(decodeProof(frame), expected)) {
      return refuse(wrongProof(hello.identity.node), hello.identity.node);
    }
    const proof = prove(this.#local.secret, 'acceptor', helloFrame, challengeFrame);
    const send = encodeProof(handshakeType.welcome, proof);
    return { kind: 'established', send, peer: hello.identity, lane: hello.lane };
  }
}

function prove(
  secret: string | null,
  role: 'dialler' | 'acceptor',
  hello: Buffer,
  challenge: Buffer,
): Buffer {
  if (secret === null) return Buffer.alloc(0);
  return createHmac('sha256', secret)
    .update(`bellwether peer ${role}\n`)
    .update(hello)
    .update(challenge)
    .digest();
}

function sameBytes(given: Buffer, expected: Buffer): boolean {
  return given.length === expected.length && timingSafeEqual(given, expected);
}

function isSame(a: PeerIdentity, b: PeerIdentity): boolean {
  return a.node === b.node && a.instance === b.instance && a.cluster === b.cluster;
}

function refuse(refusal: Refusal, peer: string | null): HandshakeStep {
  return { kind: 'refuse', send: encodeRefusal(refusal), refusal, peer };
}

function refusal(code: RefusalCode, reason: string): Refusal {
  return { code, reason };
}

function itself(target: string): Refusal {
  return refusal('self', `the address of '${target}' leads back to the node that dials`);
}

/** Two running nodes have one name. */
export function twin(node: string): Refusal {
  return refusal('twin', `two nodes call themselves '${node}', each with a data directory of its own`);
}

export function unknownPeer(peer: string, own: string): Refusal {
  return refusal('unknown', `node '${peer}' is not in the peer list of node '${own}'`);
}

function otherVersion(version: number): Refusal {
  return refusal('version', `peer protocol version ${version} meets version ${protocolVersion}`);
}

function otherCluster(peer: PeerIdentity, own: PeerIdentity): Refusal {
  return refusal(
    'cluster',
    `node '${peer.node}' belongs to cluster '${peer.cluster}', node '${own.node}' to cluster '${own.cluster}'`,
  );
}

function otherTarget(wanted: string, found: string): Refusal {
  return refusal('target', `node '${found}' answers at the address of node '${wanted}'`);
}

function secretsDiffer(local: LocalNode, peerHasSecret: boolean, peer: string): Refusal | null {
  if (peerHasSecret === (local.secret !== null)) return null;
  const [has, lacks] = peerHasSecret ? [peer, local.identity.node] : [local.identity.node, peer];
  return refusal('secret', `node '${has}' has a shared secret, node '${lacks}' has none`);
}

function wrongProof(peer: string): Refusal {
  return refusal('secret', `node '${peer}' has another shared secret`);
}
