import type { Logger } from '../env/logger.ts';
import { BellwetherError } from '../errors.ts';

/** Writes why the process ends, as one line of the log, and ends it at once: what memory holds is not to be trusted. */
export function endProcess(logger: Logger, error: unknown, exit: (code: number) => void): void {
  const known = error instanceof BellwetherError;
  const stack = error instanceof Error ? error.stack : String(error);
  logger.error(
    { code: known ? error.code : 'BW_INTERNAL', error: stack },
    known ? error.message : `BW_INTERNAL: ${error instanceof Error ? error.message : String(error)}`,
  );
  exit(1);
}

/** From here on an error that nobody caught ends the process rather than let it limp on. */
export function guardProcess(logger: Logger): void {
  const end = (error: unknown): void => endProcess(logger, error, (code) => process.exit(code));
  process.on('uncaughtException', end);
  process.on('unhandledRejection', end);
}
