import { validateAccessSettings } from '../../../schemas/generated/validators.js';
import { readState, StateFile } from '../../platform/state-file.ts';

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

const form = { what: 'settings of access', validator: validateAccessSettings };

/** The policy: what clients have set, which a file keeps, over what the configuration gives. */
export class AccessSettings {
  readonly #defaults: AccessPolicy;
  readonly #set: StateFile<Partial<AccessPolicy>>;

  /** @throws SetupError when the file is there but not readable as what it should be */
  constructor(path: string, defaults: AccessPolicy) {
    this.#defaults = defaults;
    this.#set = new StateFile(path, (readState(path, form) ?? {}) as Partial<AccessPolicy>);
  }

  get policy(): AccessPolicy {
    return { ...this.#defaults, ...this.#set.value };
  }

  /** @param check throws to refuse the policy that would be; nothing changes then */
  async change(
    members: Partial<AccessPolicy>,
    check: (policy: AccessPolicy) => void,
  ): Promise<void> {
    await this.#set.change((set) => {
      check({ ...this.#defaults, ...set, ...members });
      return { ...set, ...members };
    });
  }
}
