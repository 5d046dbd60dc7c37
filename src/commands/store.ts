import type { Bytes } from '../bytes/types.ts';
import { tooLargeResult } from './parse.ts';
import type { CommandContext } from './types.ts';

/** Bytes that a change of one element takes in an entry, beside those of its element: at most these, with a score. */
const elementOverheadBytes = 17;

/** True when the changes of so many elements of a key fit into the command's entry; else the error was answered. */
export function admitsElements(context: CommandContext, key: Bytes, elements: readonly Bytes[]): boolean {
  let bytes = 0;
  for (const element of elements) bytes += element.length;
  return admitsChanges(context, key, elements.length, bytes);
}

/** The same for so many changes, with so many bytes in their elements. */
export function admitsChanges(
  context: CommandContext,
  key: Bytes,
  changes: number,
  elementBytes = 0,
): boolean {
  const bytes = 2 * (key.length + elementOverheadBytes) + changes * elementOverheadBytes + elementBytes;
  if (context.admits(bytes)) return true;
  context.reply.error(tooLargeResult);
  return false;
}
