import { spawnSync } from 'node:child_process';
import { accessSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const source = fileURLToPath(new URL('./file-operations.c', import.meta.url));

/** Why programs cannot be followed here, `false` when they can. */
export function whyNotFollowed(): string | false {
  if (process.platform !== 'linux') return 'only Linux has LD_PRELOAD as it is used here';
  return spawnSync('cc', ['--version']).error ? 'there is no C compiler' : false;
}

/** Builds the library into a directory. @returns its path */
export function buildLibrary(directory: string): string {
  const library = join(directory, 'file-operations.so');
  const warnings = ['-std=gnu11', '-Wall', '-Wextra', '-Werror', '-O2'];
  const args = [...warnings, '-shared', '-fPIC', '-o', library, source, '-ldl'];
  const { status, stderr } = spawnSync('cc', args, { encoding: 'utf8' });
  if (status !== 0) throw new Error(`the library does not build: ${stderr}`);
  return library;
}

/** The environment of a program that is followed below a directory. */
export function followedEnvironment(library: string, below: string): NodeJS.ProcessEnv {
  return {
    ...process.env,
    LD_PRELOAD: library,
    FILE_OPERATIONS_BELOW: below,
    // What goes around the C library could not be followed
    UV_USE_IO_URING: '0',
    // A group that the test runner speaks with its own children in
    NODE_TEST_CONTEXT: '',
    // Changes that cannot be synced are many here, and expected
    NODE_NO_WARNINGS: '1',
  };
}

export const errorNumbers = { EIO: 5, EACCES: 13, EMFILE: 24, ENOSPC: 28, EROFS: 30 } as const;

/** What shall happen to the n-th operation from the moment at which the rule is set, counted from 1. */
export interface Rule {
  readonly action: 'kill-before' | 'kill-after' | 'fail' | 'fail-from' | 'short';
  /** Operations that change something, or those that only look. */
  readonly of: 'change' | 'look';
  readonly at: number;
  readonly error?: keyof typeof errorNumbers;
}

export function ruleText({ action, of, at, error }: Rule): string {
  return `${action}/${of}/${at}/${error === undefined ? 0 : errorNumbers[error]}`;
}

/** Commands of a followed program to the library in it. */
export const library = {
  record: (path: string) => command(`record/${path}`),
  mark: (text: string) => command(`mark/${text}`),
  setRule: (rule: Rule) => command(`rule/${ruleText(rule)}`),
  clearRule: () => command('rule/none/change/0/0'),
  /** Whether the rule has come to pass. */
  hasFired: () => succeeds('fired'),
  /** Whether there were as many operations as the rule counts to. */
  isReached: () => succeeds('reached'),
};

function succeeds(question: string): boolean {
  try {
    command(question);
    return true;
  } catch {
    return false;
  }
}

/** @throws Error in a program that is not followed */
function command(text: string): void {
  accessSync(`/file-operations/${text}`);
}
