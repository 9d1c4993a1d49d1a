import { CertError, reasonOf } from '../../core/cert-error.ts';
import type { EventLog } from '../../core/log.ts';
import type { RuntimeNotes } from '../../platform/runtime-notes.ts';
import type { Bus } from '../transport/bus.ts';
import { followOwner } from '../transport/bus-driver.ts';

/** phosphor-logging, as far as we use it: phosphor-dbus-interfaces, xyz/openbmc_project/Logging/Create */
const create = {
  destination: 'xyz.openbmc_project.Logging',
  path: '/xyz/openbmc_project/logging',
  interface: 'xyz.openbmc_project.Logging.Create',
  member: 'Create',
  signature: 'ssa{ss}',
} as const;

/** An entry of phosphor-logging; two that are the same are one. */
export interface ErrorEntry {
  /** The name of an error of OpenBMC. */
  readonly message: string;
  readonly data: Readonly<Record<string, string>>;
}

export interface ErrorLogOptions {
  readonly bus: Bus;
  /** Which entries were made since the last boot. */
  readonly made: RuntimeNotes;
  /** The most of them. */
  readonly limit: () => number;
  readonly log: EventLog;
}

/**
 * Follows phosphor-logging. Entries wait for it where it is not there, and then for good on most systems.
 * @returns what makes an entry in it, once until the next boot
 */
export async function followErrorLog(options: ErrorLogOptions): Promise<(one: ErrorEntry) => void> {
  const { bus, made, limit, log } = options;
  const waiting = new Map<string, ErrorEntry>();
  let isThere = false;
  let isWriting = false;
  const write = async () => {
    if (isWriting) return;
    isWriting = true;
    for (const [key, { message, data }] of waiting) {
      if (!isThere) break;
      const body = [message, 'xyz.openbmc_project.Logging.Entry.Level.Error', data];
      try {
        await bus.call({ ...create, body });
        made.add(key);
      } catch (error) {
        if (error instanceof CertError && error.code === 'unavailable') break;
        log.warn('no entry made in phosphor-logging', { reason: reasonOf(error) });
      }
      waiting.delete(key);
    }
    isWriting = false;
  };
  await followOwner(bus, create.destination, (owner) => {
    isThere = owner !== '';
    void write();
  });
  return (entry) => {
    const key = JSON.stringify(entry);
    if (made.has(key) || made.count + waiting.size >= limit()) return;
    waiting.set(key, entry);
    void write();
  };
}
