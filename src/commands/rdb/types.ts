/** Numbers of the types of values in Redis's RDB format, as far as they exist here. */
export const rdbType = {
  string: 0,
  list: 1,
  set: 2,
  sortedSet: 3,
  hash: 4,
  /** With scores in binary. */
  sortedSet2: 5,
  hashZipmap: 9,
  listZiplist: 10,
  setIntegers: 11,
  sortedSetZiplist: 12,
  hashZiplist: 13,
  quicklist: 14,
  hashListpack: 16,
  sortedSetListpack: 17,
  quicklist2: 18,
  setListpack: 20,
} as const;

/** The newest version of the format that is read: that of Redis 7.2. */
export const newestVersion = 11;
/** The version that dumps name: the first that has all that they use, so that every Redis from 4.0 on takes them. */
export const writtenVersion = 8;
