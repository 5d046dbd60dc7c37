import fs from 'node:fs';
import path from 'node:path';

function syncDirectory(directory: string): void {
  const descriptor = fs.openSync(directory, 'r');
  try {
    fs.fsyncSync(descriptor);
  } finally {
    fs.closeSync(descriptor);
  }
}

/** Creates a directory and its parents, so that they survive a power cut. */
export function makeDirectoryDurably(directory: string): void {
  const first = fs.mkdirSync(directory, { recursive: true, mode: 0o700 });
  if (first === undefined) return;
  let parent = path.dirname(path.resolve(directory));
  const top = path.dirname(path.resolve(first));
  for (;;) {
    syncDirectory(parent);
    if (parent === top || parent === path.dirname(parent)) return;
    parent = path.dirname(parent);
  }
}

/** Replaces a file as a whole: whatever happens, the old content stands or the new one. */
export function writeFileDurably(file: string, text: string): void {
  const temporary = `${file}.new`;
  const descriptor = fs.openSync(temporary, 'w', 0o600);
  try {
    fs.writeFileSync(descriptor, text);
    fs.fsyncSync(descriptor);
  } finally {
    fs.closeSync(descriptor);
  }
  fs.renameSync(temporary, file);
  syncDirectory(path.dirname(file));
}
