import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { accountsName } from '../../dbus/accounts/accounts-interface.ts';
import { busName, busNamespace } from '../../dbus/certs/endpoint-names.ts';
import { endpointsName } from '../../dbus/endpoints/paths.ts';
import type { Configuration } from '../../platform/configuration.ts';
import { codeOf } from '../../storage/io-errors.ts';
import { readRegularFileSync } from '../../storage/regular-file.ts';
import { nameOf } from '../targets.ts';
import { mayCall, mayOwn, type Policy, parsePolicies, type Subject } from './bus-policy.ts';
import { type Examination, type Found, fault } from './finding.ts';

/** Where the policy of the system bus is, later ones last (dbus-daemon(1), "INTEGRATING SYSTEM SERVICES"). */
export const systemPolicies = ['/usr/share/dbus-1/system.d', '/etc/dbus-1/system.d'];

const install =
  'put systemd/bmc-certificate-manager.conf into /usr/share/dbus-1/system.d/, then systemctl reload dbus';

/** Whether the policy of the bus has a rule for each endpoint, and for each user of the configuration. */
export const policyExamination: Examination = {
  check: 'policy',
  reach: 'device',
  good: 'the policy of the bus has a rule for each endpoint and each user',
  async examine({ configuration, policyDirectories }) {
    if (!configuration || policyDirectories === undefined) {
      const text = configuration
        ? 'this is not the system bus, so its policy is not known'
        : 'the configuration cannot be read, so its users are not known';
      const next = configuration
        ? 'name the directories of its policy with --policy'
        : 'name the configuration with --config';
      return [{ where: 'device', verdict: 'skipped', text, next }];
    }
    const policies = policyDirectories.flatMap(policiesIn);
    return [...endpointFaults(configuration, policies), ...userFaults(configuration, policies)];
  },
};

function policiesIn(directory: string): readonly Policy[] {
  try {
    const names = readdirSync(directory).filter((name) => name.endsWith('.conf'));
    return names
      .sort()
      .flatMap((name) => parsePolicies(readRegularFileSync(join(directory, name))));
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return [];
    throw error;
  }
}

const root: Subject = { kind: 'user', name: 'root' };

function endpointFaults(
  { endpoints, runTimeEndpoints }: Configuration,
  policies: readonly Policy[],
): Found[] {
  const ofRunTime = runTimeEndpoints.enabled ? [endpointsName] : [];
  const names = [busNamespace, ...endpoints.map(busName), ...ofRunTime];
  const refused = names.filter((name) => !mayOwn(policies, root, name));
  return refused.map((name) =>
    fault(name, 'no rule lets root, whom the manager runs as, own this name', install),
  );
}

function userFaults(configuration: Configuration, policies: readonly Policy[]): Found[] {
  const { endpoints, runTimeEndpoints, access, users } = configuration;
  const ofEndpoints = endpoints.flatMap((endpoint) =>
    subjectsOf(endpoint.access ?? access).flatMap((subject) =>
      // Each endpoint waits for the name that all share, so a rule for that one counts
      mayCall(policies, subject, [busNamespace, busName(endpoint)])
        ? []
        : [noRule(subject, nameOf(endpoint), busNamespace)],
    ),
  );
  const ofAccounts = users.source === 'file' ? subjectsOf(users.access) : [];
  const ofRunTime = runTimeEndpoints.enabled ? runTimeEndpoints.access.flatMap(subjectsOf) : [];
  return [
    ...ofEndpoints,
    ...ofRunTime
      .filter((subject) => !mayCall(policies, subject, [endpointsName]))
      .map((subject) => noRule(subject, 'endpoints of run time', endpointsName)),
    ...ofAccounts
      .filter((subject) => !mayCall(policies, subject, [accountsName]))
      .map((subject) => noRule(subject, 'the account manager', accountsName)),
  ];
}

/** Root, who may do anything in the manager, has to pass the bus, too. */
function subjectsOf({ users, groups }: Configuration['access']): readonly Subject[] {
  return [
    root,
    ...users.map((name) => ({ kind: 'user', name }) as const),
    ...groups.map((name) => ({ kind: 'group', name }) as const),
  ];
}

function noRule({ kind, name }: Subject, where: string, destination: string): Found {
  const text = `the configuration lets the ${kind} ${name} use it, and the policy of the bus does not`;
  const next =
    name === root.name
      ? install
      : `add <policy ${kind}="${name}"><allow send_destination="${destination}"/></policy> in a file of /etc/dbus-1/system.d/, then systemctl reload dbus`;
  return fault(where, text, next);
}
