import { CertError, type CertErrorCode, reasonOf } from '../../core/cert-error.ts';
import type { Log } from '../../core/log.ts';
import {
  type NewSystemUser,
  type SystemUser,
  SystemUserError,
  type SystemUserFault,
  type SystemUserPolicy,
  type SystemUserSetting,
  type SystemUsers,
} from '../../platform/system-users.ts';
import { deleteInterface } from '../certs/certs-interfaces.ts';
import { errorNameOf } from '../server/error-names.ts';
import { type Signature, signatureOf } from '../server/interface.ts';
import type { Interfaces, Properties } from '../server/object-tree.ts';
import { objectManagerInterface, propertiesInterface } from '../server/standard-interfaces.ts';
import { NameOwnerWatch } from '../transport/name-owner-watch.ts';
import {
  accountPolicyInterface,
  userAttributesInterface,
  userManager,
  userManagerInterface,
  userNameOf,
  userPath,
} from './user-interfaces.ts';

export interface UserManagerOptions {
  readonly busAddress: string;
  readonly log: Log;
}

/** The users of OpenBMC's user manager. It comes back by itself when it or the bus went away. */
export class BusSystemUsers implements SystemUsers {
  readonly #manager: NameOwnerWatch;
  readonly #log: Log;

  constructor({ busAddress, log }: UserManagerOptions) {
    this.#log = log;
    this.#manager = new NameOwnerWatch({ busAddress, name: userManager.name, log });
  }

  /** Resolves after the first attempt to reach the bus, whatever came of it. */
  start(): Promise<void> {
    return this.#manager.start();
  }

  close(): void {
    this.#manager.close();
  }

  get isThere(): boolean {
    return this.#manager.isOwned;
  }

  async list(): Promise<readonly SystemUser[]> {
    const [objects] = await this.#call({
      path: userManager.path,
      interface: objectManagerInterface.name,
      member: 'GetManagedObjects',
    });
    const found = Object.entries(objects as Readonly<Record<string, Interfaces>>);
    return found.flatMap(([path, interfaces]) => {
      const name = userNameOf(path);
      const properties = interfaces[userAttributesInterface.name];
      return name !== undefined && properties ? [readUser(name, properties)] : [];
    });
  }

  async find(name: string): Promise<SystemUser | undefined> {
    try {
      const [info] = await this.#manage('GetUserInfo', name);
      return readUser(name, info as Properties);
    } catch (error) {
      if (error instanceof SystemUserError && error.fault === 'not-found') return undefined;
      throw error;
    }
  }

  async create({ name, groups, privilege, enabled }: NewSystemUser): Promise<void> {
    await this.#manage('CreateUser', name, groups, privilege, enabled);
  }

  async set(name: string, { attribute, value }: SystemUserSetting): Promise<void> {
    const spec = userAttributesInterface;
    const property = attributes[attribute];
    await this.#setProperty(userPath(name), spec.name, property, spec.properties[property], value);
  }

  async rename(name: string, newName: string): Promise<void> {
    await this.#manage('RenameUser', name, newName);
  }

  async remove(name: string): Promise<void> {
    const call = { path: userPath(name), interface: deleteInterface.name, member: 'Delete' };
    await this.#call(call);
  }

  async policy(): Promise<SystemUserPolicy> {
    const [properties] = await this.#call({
      path: userManager.path,
      interface: propertiesInterface.name,
      member: 'GetAll',
      signature: 's',
      body: [accountPolicyInterface.name],
    });
    const number = (name: keyof typeof accountPolicyInterface.properties) => {
      const value = (properties as Properties)[name]?.value;
      return typeof value === 'number' ? value : 0;
    };
    return {
      lockoutThreshold: number(policyMembers.lockoutThreshold),
      lockoutSeconds: number(policyMembers.lockoutSeconds),
      minPasswordLength: number(policyMembers.minPasswordLength),
    };
  }

  async setPolicy(change: Partial<SystemUserPolicy>): Promise<void> {
    if (Object.keys(change).length === 0) return;
    const before = await this.policy();
    try {
      for (const member of policyNames) await this.#setRule(member, change[member]);
    } catch (error) {
      await this.#putBack(before, change);
      throw error;
    }
  }

  /** Asks what came of it first: a call without an answer may have been heard. */
  async #putBack(before: SystemUserPolicy, change: Partial<SystemUserPolicy>): Promise<void> {
    const report = (error: unknown) => {
      this.#log.error('rules of accounts not put back', { reason: reasonOf(error) });
    };
    const now = await this.policy().catch(report);
    if (!now) return;
    const changed = policyNames.filter((one) => one in change && now[one] !== before[one]);
    for (const member of changed) await this.#setRule(member, before[member]).catch(report);
  }

  async #setRule(member: keyof SystemUserPolicy, value: number | undefined): Promise<void> {
    if (value === undefined) return;
    const spec = accountPolicyInterface;
    const property = policyMembers[member];
    const signature = spec.properties[property];
    await this.#setProperty(userManager.path, spec.name, property, signature, value);
  }

  async #setProperty(
    path: string,
    interfaceName: string,
    property: string,
    signature: Signature,
    value: unknown,
  ): Promise<void> {
    await this.#call({
      path,
      interface: propertiesInterface.name,
      member: 'Set',
      signature: signatureOf(propertiesInterface.methods.Set.in),
      body: [interfaceName, property, { signature, value }],
    });
  }

  #manage(member: keyof typeof userManagerInterface.methods, ...body: readonly unknown[]) {
    const { name, methods } = userManagerInterface;
    const signature = signatureOf(methods[member].in);
    return this.#call({ path: userManager.path, interface: name, member, signature, body });
  }

  async #call(call: Parameters<NameOwnerWatch['call']>[0]): Promise<readonly unknown[]> {
    try {
      return await this.#manager.call(call);
    } catch (error) {
      throw asSystemUserError(error);
    }
  }
}

const attributes = {
  privilege: 'UserPrivilege',
  enabled: 'UserEnabled',
  locked: 'UserLockedForFailedAttempt',
  passwordExpired: 'UserPasswordExpired',
} as const satisfies Record<
  SystemUserSetting['attribute'],
  keyof typeof userAttributesInterface.properties
>;

const policyMembers = {
  lockoutThreshold: 'MaxLoginAttemptBeforeLockout',
  lockoutSeconds: 'AccountUnlockTimeout',
  minPasswordLength: 'MinPasswordLength',
} as const satisfies Record<keyof SystemUserPolicy, keyof typeof accountPolicyInterface.properties>;

const policyNames = Object.keys(policyMembers) as (keyof SystemUserPolicy)[];

/** A local user without a state is one who may not come in; of a remote one only two things are told. */
function readUser(name: string, properties: Properties): SystemUser {
  const is = (property: string, otherwise: boolean) => {
    const value = properties[property]?.value;
    return typeof value === 'boolean' ? value : otherwise;
  };
  const privilege = properties.UserPrivilege?.value;
  const groups = properties.UserGroups?.value;
  const remote = is('RemoteUser', false);
  return {
    name,
    privilege: typeof privilege === 'string' ? privilege : '',
    groups: Array.isArray(groups) ? groups.map(String) : [],
    enabled: is('UserEnabled', remote),
    locked: is('UserLockedForFailedAttempt', false),
    passwordExpired: is('UserPasswordExpired', false),
    remote,
  };
}

const userError = 'xyz.openbmc_project.User.Common.Error';
const commonError = 'xyz.openbmc_project.Common.Error';

const faultsByName: Readonly<Record<string, SystemUserFault>> = {
  [`${userError}.UserNameExists`]: 'exists',
  [`${userError}.UserNameDoesNotExist`]: 'not-found',
  [`${userError}.UserNameGroupFail`]: 'argument-refused',
  [`${userError}.UserNamePrivFail`]: 'privilege-refused',
  [`${userError}.NoResource`]: 'limit',
  [`${commonError}.InvalidArgument`]: 'argument-refused',
  [`${commonError}.InsufficientPermission`]: 'not-permitted',
  [`${commonError}.NotAllowed`]: 'not-permitted',
  'org.freedesktop.DBus.Error.PropertyReadOnly': 'not-permitted',
  'org.freedesktop.DBus.Error.UnknownObject': 'not-found',
  'org.freedesktop.DBus.Error.UnknownMethod': 'not-permitted',
  'org.freedesktop.DBus.Error.UnknownProperty': 'not-permitted',
  'org.freedesktop.DBus.Error.UnknownInterface': 'not-permitted',
};

const faultsByCode: Readonly<Partial<Record<CertErrorCode, SystemUserFault>>> = {
  'access-denied': 'not-permitted',
  'no-answer': 'unavailable',
  unavailable: 'unavailable',
};

function asSystemUserError(error: unknown): SystemUserError {
  const name = errorNameOf(error) ?? '';
  const code = error instanceof CertError ? faultsByCode[error.code] : undefined;
  const fault = faultsByName[name] ?? code ?? 'failed';
  return new SystemUserError(fault, `the user manager answers ${name || fault}`, { cause: error });
}
