import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { modules } from '../../src/netconf/models/modules.ts';

const directory = fileURLToPath(new URL('../../schemas/yang', import.meta.url));

/** The modules that a hello announces, with their features. */
const schemas = modules
  .filter(({ features }) => features !== undefined)
  .map(({ name, revision }) => join(directory, `${name}@${revision}.yang`));
const features = modules.flatMap(({ name, features: listed }) =>
  listed ? ['-F', `${name}:${listed.join(',')}`] : [],
);

interface Exchange {
  readonly rpc: string;
  readonly reply: string;
}

/**
 * Has yanglint judge replies that are no errors, and the data in them by the models.
 * @returns what it complains of; empty for nothing
 */
export function complaintsOf(exchanges: readonly Exchange[]): readonly string[] {
  const folder = mkdtempSync(join(tmpdir(), 'yanglint-'));
  const write = (name: string, text: string) => {
    const path = join(folder, name);
    writeFileSync(path, text);
    return path;
  };
  const judge = (...args: string[]) => {
    const { status, stderr, error } = spawnSync(
      'yanglint',
      ['-p', directory, ...features, ...args],
      { encoding: 'utf8' },
    );
    if (error) throw error;
    return status === 0 ? [] : [stderr];
  };
  try {
    return exchanges.flatMap(({ rpc, reply }, at) => {
      const request = write(`rpc-${at}.xml`, rpc);
      const envelope = judge(
        ...['-t', 'nc-reply', '-R', request, ...schemas],
        write(`reply-${at}.xml`, reply),
      );
      const [, inside = ''] = /<data>(.*)<\/data>/s.exec(reply) ?? [];
      const type = rpc.includes('<get-config>') ? 'getconfig' : 'get';
      const isOfModels = /<get(-config)?>/.test(rpc) && inside !== '';
      const data = isOfModels ? judge('-t', type, ...schemas, write(`data-${at}.xml`, inside)) : [];
      return [...envelope, ...data].map((complaint) => `${complaint}\n${reply}`);
    });
  } finally {
    rmSync(folder, { recursive: true });
  }
}
