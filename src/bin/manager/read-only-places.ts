import { existsSync } from 'node:fs';
import { dirname } from 'node:path';
import type { Log } from '../../core/log.ts';
import type { Configuration } from '../../platform/configuration.ts';
import { writeFault } from '../../storage/directory.ts';
import { codeOf } from '../../storage/io-errors.ts';

/**
 * Says at a start, and not only at the first change, which files of the configuration nothing can be written beside,
 * as where the unit keeps all else read-only (`ProtectSystem=strict`).
 */
export function tellReadOnlyPlaces(
  { endpoints, services, runTimeEndpoints, metrics: { textfile } }: Configuration,
  log: Log,
): void {
  const files = [...endpoints.map(({ path }) => path), ...services.map(({ file }) => file)];
  const all = [...files, runTimeEndpoints.directory, ...(textfile === undefined ? [] : [textfile])];
  for (const directory of new Set(all.map((path) => dirname(path)))) {
    if (codeOf(writeFault(directory)) !== 'EROFS') continue;
    const make = existsSync(directory) ? '' : `mkdir -p ${directory}, `;
    log.error('the file system of files is read-only', {
      directory,
      advice: `if the unit makes it so: ${make}systemctl edit bmc-certificate-manager, add below [Service] the line ReadWritePaths=${directory}, and restart it`,
    });
  }
}
