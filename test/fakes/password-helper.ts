import { chmodSync, existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

/** A helper as PAM's, whose passwords are files; it notes what others could see of it. */
export interface FakeHelper {
  readonly path: string;
  /** How it answers for this user from now on. */
  setPassword(userName: string, password: string, state?: 'expired' | 'locked'): void;
  passwordOf(userName: string): string | undefined;
  /** How it fails from now on; with nothing it works again. */
  fail(how: 'hang' | 'fault' | 'refuse' | 'die' | undefined): void;
  /** `mode name address` of each question since the last time. */
  asked(): readonly string[];
  /** Its command line and environment, as /proc shows them to everybody. */
  visible(): string;
  /** Ids of its processes that hung. */
  hung(): readonly number[];
}

export function makeFakeHelper(directory: string): FakeHelper {
  const room = join(directory, 'helper');
  mkdirSync(join(room, 'passwords'), { recursive: true });
  const path = join(room, 'helper.sh');
  const file = (name: string) => join(room, name);
  const read = (name: string) => (existsSync(file(name)) ? readFileSync(file(name), 'utf8') : '');
  writeFileSync(
    path,
    `#!/bin/sh
PATH=/usr/bin:/bin
cd ${room}
{ tr '\\0' ' ' < /proc/$$/cmdline; tr '\\0' ' ' < /proc/$$/environ; echo; } >> visible
tr '\\0' '\\n' | {
  IFS= read -r mode; IFS= read -r name; IFS= read -r word; IFS= read -r address
  printf '%s %s %s\\n' "$mode" "$name" "$address" >> asked
  if [ -e hang ]; then sleep 60 & echo $! >> hung; wait; fi
  if [ -e die ]; then kill -9 $$; fi
  if [ -e fault ]; then echo "bad password $word" | tee /dev/stderr; exit 9; fi
  if [ "$mode" = set ]; then
    if [ -e refuse ]; then exit 4; fi
    printf %s "$word" > "passwords/$name"
    rm -f "passwords/$name.expired" "passwords/$name.locked"
    exit 0
  fi
  if [ -e "passwords/$name.locked" ]; then exit 3; fi
  if [ ! -e "passwords/$name" ]; then exit 1; fi
  if [ "$(cat "passwords/$name")" != "$word" ]; then exit 1; fi
  if [ -e "passwords/$name.expired" ]; then exit 2; fi
  exit 0
}
`,
  );
  chmodSync(path, 0o755);
  return {
    path,
    setPassword(userName, password, state) {
      writeFileSync(join(room, 'passwords', userName), password);
      for (const one of ['expired', 'locked']) {
        rmSync(join(room, 'passwords', `${userName}.${one}`), { force: true });
      }
      if (state) writeFileSync(join(room, 'passwords', `${userName}.${state}`), '');
    },
    passwordOf: (userName) => read(join('passwords', userName)) || undefined,
    fail(how) {
      for (const one of ['hang', 'fault', 'refuse', 'die']) rmSync(file(one), { force: true });
      if (how) writeFileSync(file(how), '');
    },
    asked() {
      const lines = read('asked')
        .split('\n')
        .filter((line) => line !== '');
      rmSync(file('asked'), { force: true });
      return lines;
    },
    visible: () => read('visible'),
    hung: () =>
      read('hung')
        .split('\n')
        .filter((line) => line !== '')
        .map(Number),
  };
}
