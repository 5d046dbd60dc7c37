import type { Bytes } from '../bytes/types.ts';
import type { BitOperation } from '../state/bit-operations.ts';
import type { EffectSink } from '../state/effects.ts';
import type { SlotChange } from '../state/slot-fences.ts';

const mostCharacters = 60;

/** Bytes in double quotes, with escapes for what is not printable ASCII; long ones shortened, with their length. */
export function quoted(bytes: Bytes): string {
  const shown = bytes.slice(0, mostCharacters);
  let text = '';
  for (const character of shown) {
    const code = character.charCodeAt(0);
    if (character === '"' || character === '\\') text += `\\${character}`;
    else if (code >= 0x20 && code < 0x7f) text += character;
    else text += `\\x${code.toString(16).padStart(2, '0')}`;
  }
  return bytes.length > mostCharacters ? `"${text}"… (${bytes.length} bytes)` : `"${text}"`;
}

function expiryText(expiresAt: number): string {
  return expiresAt === 0 ? 'never' : new Date(expiresAt).toISOString();
}

/** Effects as words, one after the other. */
export class EffectText implements EffectSink {
  readonly parts: string[] = [];

  putString(key: Bytes, value: Bytes, expiresAt: number): void {
    const until = expiresAt === 0 ? '' : ` until ${expiryText(expiresAt)}`;
    this.parts.push(`put ${quoted(key)} ${quoted(value)}${until}`);
  }

  appendString(key: Bytes, suffix: Bytes): void {
    this.parts.push(`append ${quoted(key)} ${quoted(suffix)}`);
  }

  setRange(key: Bytes, offset: number, value: Bytes): void {
    this.parts.push(`write ${quoted(key)} at ${offset} ${quoted(value)}`);
  }

  combineBits(operation: BitOperation, target: Bytes, sources: readonly Bytes[]): void {
    this.parts.push(`put ${quoted(target)} ${operation} of ${sources.map(quoted).join(' ')}`);
  }

  remove(key: Bytes): void {
    this.parts.push(`remove ${quoted(key)}`);
  }

  setExpiry(key: Bytes, expiresAt: number): void {
    this.parts.push(`expire ${quoted(key)} ${expiryText(expiresAt)}`);
  }

  rename(from: Bytes, to: Bytes): void {
    this.parts.push(`rename ${quoted(from)} to ${quoted(to)}`);
  }

  copy(from: Bytes, to: Bytes): void {
    this.parts.push(`copy ${quoted(from)} to ${quoted(to)}`);
  }

  clear(): void {
    this.parts.push('remove all keys');
  }

  hashSet(key: Bytes, field: Bytes, value: Bytes): void {
    this.parts.push(`hash ${quoted(key)} set ${quoted(field)} ${quoted(value)}`);
  }

  hashRemove(key: Bytes, field: Bytes): void {
    this.parts.push(`hash ${quoted(key)} remove ${quoted(field)}`);
  }

  setAdd(key: Bytes, member: Bytes): void {
    this.parts.push(`set ${quoted(key)} add ${quoted(member)}`);
  }

  setRemove(key: Bytes, member: Bytes): void {
    this.parts.push(`set ${quoted(key)} remove ${quoted(member)}`);
  }

  sortedSetPut(key: Bytes, member: Bytes, score: number): void {
    this.parts.push(`sorted set ${quoted(key)} put ${quoted(member)} ${score}`);
  }

  sortedSetRemove(key: Bytes, member: Bytes): void {
    this.parts.push(`sorted set ${quoted(key)} remove ${quoted(member)}`);
  }

  listInsert(key: Bytes, index: number, item: Bytes): void {
    this.parts.push(`list ${quoted(key)} insert at ${index} ${quoted(item)}`);
  }

  sortedSetRemoveRange(key: Bytes, index: number, count: number): void {
    this.parts.push(`sorted set ${quoted(key)} remove ${count} from ${index}`);
  }

  listAppend(key: Bytes, item: Bytes): void {
    this.parts.push(`list ${quoted(key)} append ${quoted(item)}`);
  }

  listSet(key: Bytes, index: number, item: Bytes): void {
    this.parts.push(`list ${quoted(key)} set ${index} ${quoted(item)}`);
  }

  listRemove(key: Bytes, index: number, count: number): void {
    this.parts.push(`list ${quoted(key)} remove ${count} from ${index}`);
  }

  changeSlots({ kind, began, count, slots }: SlotChange): void {
    const which = slots.map(({ from, to }) => (from === to ? from : `${from}-${to}`)).join(' ');
    const of = began === 0 ? '' : ` of move ${began}`;
    const much = kind === 'progress' || kind === 'imported' ? ` ${count}` : '';
    this.parts.push(`slots ${kind}${much}${of}${which === '' ? '' : `: ${which}`}`);
  }

  loadPieces(pieces: Uint8Array): void {
    this.parts.push(`load ${pieces.length} bytes of keys`);
  }
}
