/**
 * Sequential code over callbacks, without promises: a task is a generator that yields steps.
 * The simulator owns every callback, so a task runs there exactly as it does in production.
 *
 *   function* readAll(disk: Disk): Task<number> {
 *     const names = yield* step<string[]>((done) => disk.list('', done));
 *     return names.length;
 *   }
 */

type Resume = (error: Error | null, value?: unknown) => void;
export type Step = (resume: Resume) => void;
export type Task<T> = Generator<Step, T, unknown>;

/** Waits for one callback-style operation; throws its error into the task. */
export function* step<T>(start: (done: (error: Error | null, value: T) => void) => void): Task<T> {
  return (yield (resume) => start(resume as (error: Error | null, value: T) => void)) as T;
}

/** Waits for an operation that answers only with an error or nothing. */
export function* stepVoid(start: (done: (error: Error | null) => void) => void): Task<void> {
  yield (resume) => start((error) => resume(error));
}

/** Runs a task; `done` is called once, with its result or the error that it did not catch. */
export function runTask<T>(task: Task<T>, done: (error: Error | null, value?: T) => void): void {
  const advance = (error: Error | null, value: unknown): void => {
    let next: IteratorResult<Step, T>;
    try {
      next = error === null ? task.next(value) : task.throw(error);
    } catch (thrown) {
      done(thrown instanceof Error ? thrown : new Error(String(thrown)));
      return;
    }
    if (next.done === true) {
      done(null, next.value);
      return;
    }
    let answered = false;
    next.value((stepError, stepValue) => {
      if (answered) throw new Error('a step answered twice');
      answered = true;
      advance(stepError, stepValue);
    });
  };
  advance(null, undefined);
}
