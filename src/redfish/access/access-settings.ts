import { dirname } from 'node:path';
import { validateAccessSettings } from '../../../schemas/generated/validators.js';
import { makeDirectory, ownerOnly, writeFileAtomic } from '../../durable/atomic-file.ts';
import { SetupError } from '../../platform/configuration.ts';
import { validate } from '../../platform/validation.ts';
import { parseJson, readIfThere } from './account-file.ts';

/** What clients may change of AccountService and SessionService, in their words. */
export interface AccessPolicy {
  readonly minPasswordLength: number;
  readonly maxPasswordLength: number;
  readonly lockoutThreshold: number;
  readonly lockoutSeconds: number;
  readonly lockoutResetSeconds: number;
  readonly lockoutResetEnabled: boolean;
  readonly basicAuth: 'Enabled' | 'Unadvertised' | 'Disabled';
  readonly sessionSeconds: number;
}

/** The policy: what clients have set, which a file keeps, over what the configuration gives. */
export class AccessSettings {
  readonly #path: string;
  readonly #defaults: AccessPolicy;
  #set: Partial<AccessPolicy>;
  #last: Promise<unknown> = Promise.resolve();

  /** @throws SetupError when the file is there but not readable as what it should be */
  constructor(path: string, defaults: AccessPolicy) {
    this.#path = path;
    this.#defaults = defaults;
    this.#set = readSettings(path);
  }

  get policy(): AccessPolicy {
    return { ...this.#defaults, ...this.#set };
  }

  /** @param check throws to refuse the policy that would be; nothing changes then */
  change(members: Partial<AccessPolicy>, check: (policy: AccessPolicy) => void): Promise<void> {
    const turn = this.#last.then(async () => {
      check({ ...this.policy, ...members });
      const set = { ...this.#set, ...members };
      await makeDirectory(dirname(this.#path), ownerOnly);
      await writeFileAtomic(this.#path, `${JSON.stringify(set, null, 2)}\n`, ownerOnly);
      this.#set = set;
    });
    this.#last = turn.catch(() => undefined);
    return turn;
  }
}

function readSettings(path: string): Partial<AccessPolicy> {
  const text = readIfThere(path);
  if (text === undefined) return {};
  const result = validate(validateAccessSettings, parseJson(text));
  if (!result.ok) throw new SetupError(`The file ${path} does not hold settings of access.`);
  return result.value as Partial<AccessPolicy>;
}
