import { readdirSync, readFileSync } from 'node:fs';
import { processesWith } from '../../fakes/stack-process.ts';

/** What a process has of the system. */
export interface Footprint {
  /** MB in memory, shared pages too. */
  readonly resident: number;
  /** MB in memory that are its own. */
  readonly own: number;
  readonly descriptors: number;
}

export const programs = {
  manager: /certificate-manager\.js/,
  service: /redfish-server\.js/,
  bus: /^dbus-daemon/,
} as const;

export type Program = keyof typeof programs;

/** The process of a program of the stack with this state directory. */
export function pidOf(state: string, program: Program): number | undefined {
  return [...processesWith(state)].find(([, command]) => programs[program].test(command))?.[0];
}

/** @throws when it has ended */
export function footprintOf(pid: number): Footprint {
  const status = readFileSync(`/proc/${pid}/status`, 'utf8');
  const megabytes = (name: string) =>
    Number(new RegExp(`^${name}:\\s+(\\d+) kB`, 'm').exec(status)?.[1] ?? 0) / 1024;
  const descriptors = readdirSync(`/proc/${pid}/fd`).length;
  return { resident: megabytes('VmRSS'), own: megabytes('RssAnon'), descriptors };
}

/** Processes that this one started and that still are, with their states; Z for a zombie. */
export function childrenOf(pid: number): ReadonlyMap<number, string> {
  const children = new Map<number, string>();
  for (const name of readdirSync('/proc').filter((one) => /^\d+$/.test(one))) {
    const [state, parent] = statOf(name);
    if (parent === String(pid) && state !== undefined) children.set(Number(name), state);
  }
  return children;
}

/** proc(5): the name in parentheses may hold anything. */
function statOf(pid: string): readonly string[] {
  try {
    const text = readFileSync(`/proc/${pid}/stat`, 'utf8');
    return text.slice(text.lastIndexOf(')') + 2).split(' ');
  } catch {
    return [];
  }
}
