import { existsSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

/** A clock that programs believe which were started with its environment. */
export interface FakeClock {
  readonly environment: NodeJS.ProcessEnv;
  /** Sets it so many years off the real one; 0 for the real one. */
  setAhead(years: number): void;
}

/** @param directory where the time of the clock is written */
export function fakeClock(directory: string): FakeClock {
  const path = join(directory, 'clock');
  const setAhead = (years: number) => {
    const seconds = Math.round(years * 365.25 * 86_400);
    writeFileSync(path, `${seconds < 0 ? '' : '+'}${seconds}\n`);
  };
  setAhead(0);
  return {
    setAhead,
    environment: {
      LD_PRELOAD: findLibrary(),
      FAKETIME_TIMESTAMP_FILE: path,
      FAKETIME_NO_CACHE: '1',
      // Nobody sets the monotonic clock of a device either
      DONT_FAKE_MONOTONIC: '1',
      FAKETIME_DONT_FAKE_MONOTONIC: '1',
    },
  };
}

/** Debian has the library in the directory of its architecture. */
function findLibrary(): string {
  const found = readdirSync('/usr/lib')
    .map((name) => `/usr/lib/${name}/faketime/libfaketime.so.1`)
    .find((path) => existsSync(path));
  if (!found) throw new Error('libfaketime is not installed');
  return found;
}
