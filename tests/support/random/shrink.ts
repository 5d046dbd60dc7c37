/**
 * The shortest list that it finds, by leaving out, for which `fails` still holds. The last item stays.
 * @param deadline no more is tried after this moment, in ms since 1970
 */
export async function shrink<T>(
  items: readonly T[],
  fails: (items: readonly T[]) => Promise<boolean>,
  deadline: number,
): Promise<readonly T[]> {
  let left = items;
  for (let size = items.length >> 1; size > 0; size >>= 1) {
    for (let from = 0; from < left.length - 1; ) {
      if (Date.now() > deadline) return left;
      const fewer = [...left.slice(0, from), ...left.slice(Math.min(from + size, left.length - 1))];
      if (await fails(fewer)) left = fewer;
      else from += size;
    }
  }
  return left;
}
