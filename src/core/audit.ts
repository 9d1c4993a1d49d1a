import { AsyncLocalStorage } from 'node:async_hooks';
import { randomBytes } from 'node:crypto';
import type { Fields, Log } from './log.ts';

/** The events of the audit, each with the level of its line: `warn` where a client was refused. */
const auditEvents = {
  login: 'info',
  'login failed': 'warn',
  'lockout begun': 'warn',
  'lockout ended': 'info',
  'session begun': 'info',
  'session ended': 'info',
  change: 'info',
  'change refused': 'warn',
  call: 'info',
  'call refused': 'warn',
} as const satisfies Record<string, 'info' | 'warn'>;

export type AuditEvent = keyof typeof auditEvents;

/** What is known of a change while it is being made. */
interface Change {
  readonly id: string;
  fields: Fields;
}

/** Characters of a text that a line shows: a client chooses the name under which its login fails. */
const maxTextLength = 128;
const maxUserNameLength = 64;

/**
 * Writes who did what, from where, and with which outcome: one line of the log for each event, whose message
 * begins with `audit:`. The log escapes the fields. No password, key or token may be passed to it.
 */
export class Audit {
  readonly #log: Pick<Log, 'info' | 'warn'>;
  readonly #change = new AsyncLocalStorage<Change | undefined>();

  constructor(log: Pick<Log, 'info' | 'warn'>) {
    this.#log = log;
  }

  write(event: AuditEvent, fields: Fields): void {
    const shown = Object.entries(fields).map(([name, value]) => [name, bounded(name, value)]);
    const line = { ...this.change, ...Object.fromEntries(shown) };
    this.#log[auditEvents[event]](`audit: ${event}`, line);
  }

  /**
   * Makes a change: every line that is written for it, also of what goes on afterwards, has the same id.
   * @param work gets a function that gives what has been told of the change so far
   */
  during<T>(work: (told: () => Fields) => Promise<T>): Promise<T> {
    const change: Change = { id: randomBytes(6).toString('hex'), fields: {} };
    return this.#change.run(change, () => work(() => change.fields));
  }

  /** Does what has nothing to do with the change during which it happens. */
  apart(work: () => void): void {
    this.#change.run(undefined, work);
  }

  /** Tells more of the change that is being made, where one is. */
  tell(fields: Fields): void {
    const change = this.#change.getStore();
    if (change) change.fields = { ...change.fields, ...fields };
  }

  /** The id of the change that is being made, as a field of a line; nothing where none is. */
  get change(): Fields {
    const change = this.#change.getStore();
    return change ? { change: change.id } : {};
  }
}

function bounded(name: string, value: string | number | boolean): string | number | boolean {
  if (typeof value !== 'string') return value;
  const max = name === 'user' ? maxUserNameLength : maxTextLength;
  // What is sliced off first keeps a text of megabytes from being split
  const characters = [...value.slice(0, 2 * max + 2)];
  return characters.length <= max ? value : `${characters.slice(0, max).join('')}…`;
}
