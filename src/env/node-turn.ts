import type { TurnEnd } from './turn.ts';

export const nodeTurnEnd: TurnEnd = { schedule: (callback) => void setImmediate(callback) };
