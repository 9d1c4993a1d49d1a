import {
  type ClientCertificateSettings,
  validateClientCertificateSettings,
} from '../../../schemas/generated/validators.js';
import { readState, StateFile } from '../../platform/state-file.ts';

export type Settings = Readonly<ClientCertificateSettings>;

/** Clients may use certificates as soon as there is an authority that they are trusted by. */
export const firstSettings: Settings = { enabled: true, respond: true, mapping: 'CommonName' };

const form = { what: 'settings of certificates', validator: validateClientCertificateSettings };

/**
 * What AccountService says of client certificates, in a file of its own.
 * @throws SetupError when the file is there but does not hold settings
 */
export function openSettings(path: string): StateFile<Settings> {
  return new StateFile(path, readState(path, form) ?? firstSettings);
}
