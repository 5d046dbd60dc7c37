import type { Membership, NodeId } from './types.ts';

/** A membership as the payload of its log entry: JSON in ASCII bytes, `{"voters":[…],"learners":[…]}`. */
export function encodeMembership(membership: Membership): Uint8Array {
  const text = JSON.stringify({ voters: membership.voters, learners: membership.learners }).replace(
    /[^\x20-\x7e]/g,
    (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );
  const bytes = new Uint8Array(text.length);
  for (let i = 0; i < text.length; i++) bytes[i] = text.charCodeAt(i);
  return bytes;
}

/** Reads what `encodeMembership` wrote; null when the bytes are no membership. */
export function decodeMembership(bytes: Uint8Array): Membership | null {
  let text = '';
  for (const byte of bytes) text += String.fromCharCode(byte);
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return null;
  }
  if (typeof value !== 'object' || value === null) return null;
  const { voters, learners } = value as { voters?: unknown; learners?: unknown };
  return areNodes(voters) && areNodes(learners) ? { voters, learners } : null;
}

function areNodes(value: unknown): value is NodeId[] {
  return Array.isArray(value) && value.every((node) => typeof node === 'string');
}
