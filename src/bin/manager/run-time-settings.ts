import type { EndpointRules } from '../../dbus/endpoints/access.ts';
import type { EndpointType } from '../../manager/endpoint-definition.ts';
import type { ServiceDefinition } from '../../manager/services/service-bindings.ts';
import type { SigningLimits } from '../../manager/signing/signer.ts';
import type { Configuration } from '../../platform/configuration.ts';
import type { SystemAccounts } from '../../platform/system-accounts.ts';
import { ownUsers } from '../set-up/access-policy.ts';
import {
  callSettings,
  type EndpointSettings,
  reloadTargets,
  rulesOf,
  signingLimits,
  workerSettings,
} from './endpoint-settings.ts';

/** Everything that the configuration says of the endpoints of run time, as plain data: when any of it changes, they begin anew. */
export interface RunTimeSettings extends Pick<EndpointSettings, 'calls' | 'worker'> {
  readonly directory: string;
  /** Where it is kept which services were bound at run time. */
  readonly bindings: string;
  readonly maxEndpoints: number;
  readonly signing: SigningLimits;
  readonly access: EndpointRules;
  readonly services: readonly ServiceDefinition[];
  readonly rules: Readonly<Record<EndpointType, EndpointSettings['rules']>>;
}

/** @returns `undefined` where they are not served. @throws InvalidMember for a user or a group that does not exist */
export function runTimeSettings(
  configuration: Configuration,
  accounts: SystemAccounts,
): RunTimeSettings | undefined {
  const { enabled, directory, endpoints } = configuration.runTimeEndpoints;
  if (!enabled) return undefined;
  return {
    calls: callSettings(configuration),
    worker: workerSettings(configuration),
    directory,
    bindings: `${directory}/bindings.json`,
    maxEndpoints: endpoints,
    signing: signingLimits(configuration),
    access: rulesOfAccess(configuration, accounts),
    services: servicesOf(configuration, accounts),
    rules: {
      server: rulesOfType(configuration, 'server'),
      client: rulesOfType(configuration, 'client'),
      authority: rulesOfType(configuration, 'authority'),
    },
  };
}

function rulesOfAccess(
  { runTimeEndpoints: { access } }: Configuration,
  accounts: SystemAccounts,
): EndpointRules {
  return {
    administrators: { users: ownUsers, groups: [] },
    rules: access.map(({ users, groups, endpoints, operations, services }, at) => {
      const path = `/runTimeEndpoints/access/${at}`;
      const callers = {
        users: users.map((name, of) => accounts.userId(name, `${path}/users/${of}`)),
        groups: groups.map((name, of) => accounts.groupId(name, `${path}/groups/${of}`)),
      };
      return { callers, endpoints, operations, services };
    }),
  };
}

function servicesOf(
  { services }: Configuration,
  accounts: SystemAccounts,
): readonly ServiceDefinition[] {
  return services.map(({ name, file, group, reload, endpoint }, at) => ({
    name,
    path: file,
    reload: reloadTargets(reload),
    ...(group !== undefined && { group: accounts.groupId(group, `/services/${at}/group`) }),
    ...(endpoint && { endpoint: { type: endpoint.type, name: endpoint.id } }),
  }));
}

/** None of them is that of our own Redfish service, so no name is needed. */
function rulesOfType(configuration: Configuration, type: EndpointType): EndpointSettings['rules'] {
  const { authorities: maxCertificates } = configuration.runTimeEndpoints;
  return rulesOf(configuration, { type, name: '', maxCertificates });
}
