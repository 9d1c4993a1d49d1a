import { homedir } from 'node:os';
import { dirname, isAbsolute, join } from 'node:path';
import { SetupError } from '../../core/setup-error.ts';
import { writeFileAtomic } from '../../storage/atomic-file.ts';
import { makeDirectory } from '../../storage/directory.ts';
import { ownerOnly } from '../../storage/file-mode.ts';
import { faultOfFile, tryReadRegularFile } from '../../storage/regular-file.ts';

/** The certificates by which services are known: a line `HOST:PORT FINGERPRINT` for each, also for several of one service. */
export interface KnownHosts {
  fingerprintsOf(host: string): Promise<readonly string[]>;
  /** In the place of those that are known. @throws SetupError */
  remember(host: string, fingerprints: readonly string[]): Promise<void>;
}

/** XDG Base Directory Specification: a relative path counts for none. */
export function knownHostsPath({ XDG_STATE_HOME = '' }: NodeJS.ProcessEnv = process.env): string {
  const state = isAbsolute(XDG_STATE_HOME) ? XDG_STATE_HOME : join(homedir(), '.local', 'state');
  return join(state, 'bmc-certs', 'known-hosts');
}

export function knownHosts(path: string): KnownHosts {
  const read = async () => ((await tryReadRegularFile(path)) ?? '').split('\n').filter(Boolean);
  return {
    async fingerprintsOf(host) {
      const lines = (await read()).map((line) => line.split(' '));
      return lines.flatMap(([name, fingerprint = '']) => (name === host ? fingerprint : []));
    },
    async remember(host, fingerprints) {
      try {
        const others = (await read()).filter((line) => !line.startsWith(`${host} `));
        const own = fingerprints.map((fingerprint) => `${host} ${fingerprint}`);
        await makeDirectory(dirname(path), ownerOnly);
        await writeFileAtomic(path, `${[...others, ...own].join('\n')}\n`, ownerOnly);
      } catch (cause) {
        const why = faultOfFile(cause) ?? (cause instanceof Error ? cause.message : String(cause));
        throw new SetupError(`The file ${path} cannot be written: ${why}.`, { cause });
      }
    },
  };
}
