import { join } from 'node:path';
import {
  type AccessSettings as StoredSettings,
  validateAccessSettings,
} from '../../../schemas/generated/validators.js';
import type { Configuration } from '../../platform/configuration.ts';
import { readState, StateFile } from '../../storage/state-file.ts';

/** What clients may change of the ways into the Redfish service, in their words. */
export interface AccessPolicy {
  readonly basicAuth: 'Enabled' | 'Unadvertised' | 'Disabled';
  readonly sessionSeconds: number;
  readonly sessionWays: SessionWays;
}

/** How a client may show the token of its session. */
export type SessionWays = Readonly<NonNullable<StoredSettings['sessionWays']>>;

/** How clients log in with certificates. */
export type CertificateLogin = Readonly<NonNullable<StoredSettings['clientCertificates']>>;

/** Everything that counts at a time. */
interface InForce {
  readonly policy: AccessPolicy;
  readonly clientCertificates: CertificateLogin;
}

type Defaults = Omit<AccessPolicy, 'sessionWays'>;

/** What is set, or is to be. */
type SetMembers = Partial<AccessPolicy> & { readonly clientCertificates?: CertificateLogin };

const form = { what: 'settings of access', validator: validateAccessSettings };

const allWays: SessionWays = { cookie: true, sessionToken: true, xToken: true };

/** Clients may use certificates as soon as there is an authority that they are trusted by. */
const firstLogin: CertificateLogin = { enabled: true, respond: true, mapping: 'CommonName' };

/**
 * What clients have set, over what the configuration gives. All of it is in one file: a request may change
 * the policy and the login with certificates together, and then neither counts without the other.
 */
export class AccessSettings {
  readonly #defaults: Defaults;
  readonly #set: StateFile<SetMembers>;

  /** @throws SetupError when the file is there but not readable as what it should be */
  constructor(path: string, defaults: Defaults) {
    this.#defaults = defaults;
    this.#set = new StateFile(path, (readState(path, form) ?? {}) as SetMembers);
  }

  get policy(): AccessPolicy {
    return this.#with(this.#set.value).policy;
  }

  get clientCertificates(): CertificateLogin {
    return this.#with(this.#set.value).clientCertificates;
  }

  /** @param alter gives what is to be set, the rest stays; what it throws leaves all as it is */
  async change(alter: (now: InForce) => SetMembers | Promise<SetMembers>): Promise<void> {
    await this.#set.change(async (set) => ({ ...set, ...(await alter(this.#with(set))) }));
  }

  /** Does what depends on the settings, which stay as they are for so long. */
  during<T>(work: (now: InForce) => Promise<T>): Promise<T> {
    return this.#set.during((set) => work(this.#with(set)));
  }

  #with({
    clientCertificates = firstLogin,
    sessionWays = allWays,
    ...policy
  }: SetMembers): InForce {
    return { policy: { ...this.#defaults, ...policy, sessionWays }, clientCertificates };
  }
}

/** The settings of a service as it is configured, whether or not it runs. @throws SetupError */
export function configuredSettings({ redfish }: Configuration): AccessSettings {
  return new AccessSettings(join(redfish.directory, 'access-settings.json'), {
    basicAuth: 'Enabled',
    sessionSeconds: redfish.limits.sessionSeconds,
  });
}
