import type { TurnEnd } from './turn.ts';

export const nodeTurnEnd: TurnEnd = {
  schedule: (callback, soon) => {
    if (soon === true) process.nextTick(callback);
    else setImmediate(callback);
  },
};
