/**
 * Waits until `probe` answers something other than null or false; fails with `what` after `ms`.
 * @param what what is waited for; a function is asked only when it did not come
 */
export async function until<T>(
  what: string | (() => string | Promise<string>),
  probe: () => T | null | false | Promise<T | null | false>,
  ms = 30_000,
): Promise<T> {
  const endMs = performance.now() + ms;
  for (;;) {
    const found = await probe();
    if (found !== null && found !== false) return found;
    if (performance.now() > endMs)
      throw new Error(`not within ${ms} ms: ${typeof what === 'string' ? what : await what()}`);
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}

/** Times as many rounds as `BELLWETHER_ROUNDS` asks for; `usual` where it is not set. */
export function rounds(usual: number): number {
  const text = process.env['BELLWETHER_ROUNDS'] ?? '';
  return text === '' ? usual : Math.max(1, Math.round(usual * Number(text)));
}
