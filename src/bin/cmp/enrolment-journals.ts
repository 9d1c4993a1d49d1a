import { join } from 'node:path';
import { type Journal, openJournal } from '../../cmp/journal.ts';
import { removeTempFiles } from '../../storage/temp-files.ts';

/** The journals below a directory, each opened once: an attempt may outlast the configuration that it began with. */
export async function enrolmentJournals(
  directory: string,
  names: readonly string[],
): Promise<(name: string) => Journal> {
  const pathOf = (name: string) => join(directory, `${name}.json`);
  for (const name of names) await removeTempFiles(pathOf(name));
  const open = new Map<string, Journal>();
  return (name) => {
    const journal = open.get(name) ?? openJournal(pathOf(name));
    open.set(name, journal);
    return journal;
  };
}
