/** Bytes as a latin1 string: one character per byte. Keys, values and arguments have this form everywhere. */
export type Bytes = string;
