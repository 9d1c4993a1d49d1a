import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const beside = fileURLToPath(new URL('../../../shared/redfish-schemas', import.meta.url));

/** Where DMTF's bundle DSP8010 lies unpacked, with `json-schema/` and `csdl/`. */
export const schemaFolder = process.env.REDFISH_SCHEMAS ?? beside;

export const jsonSchemaFolder = join(schemaFolder, 'json-schema');
export const csdlFolder = join(schemaFolder, 'csdl');

/** Why a check that needs the bundle is left out, or false when it is there. */
export function skipWithout(folder: string): string | false {
  return existsSync(folder) ? false : 'REDFISH_SCHEMAS names no folder with the DMTF schemas';
}
