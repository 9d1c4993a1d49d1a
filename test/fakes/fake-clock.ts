import { existsSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

/** A clock that programs believe which were started with its environment. */
export interface FakeClock {
  readonly environment: NodeJS.ProcessEnv;
  /** Sets it to a time in UTC, such as `1970-01-01 00:10:00`; it goes on from there. */
  set(time: string): void;
  /** Sets it so many years off the real one; 0 for the real one. */
  setAhead(years: number): void;
}

/** @param directory where the time of the clock is written */
export function fakeClock(directory: string): FakeClock {
  const path = join(directory, 'clock');
  const write = (text: string) => writeFileSync(path, `${text}\n`);
  const setAhead = (years: number) => {
    const seconds = Math.round(years * 365.25 * 86_400);
    write(`${seconds < 0 ? '' : '+'}${seconds}`);
  };
  setAhead(0);
  return {
    set: (time) => write(`@${time}`),
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
