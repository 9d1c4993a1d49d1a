import type { EndpointName } from '../../dbus/certs/endpoint-names.ts';
import type { CallerPolicy } from '../../dbus/server/caller-policy.ts';
import type { CallLimits } from '../../dbus/transport/call-flow.ts';
import type { EndpointDefinition, ReloadTarget } from '../../manager/endpoint-definition.ts';
import type { EndpointDependencies } from '../../manager/endpoint-dependencies.ts';
import { type Configuration, contentLimitsOf } from '../../platform/configuration.ts';
import type { SystemAccounts } from '../../platform/system-accounts.ts';
import { servingProfile, usualServingProfile } from '../../tls/profile.ts';
import type { ServingProfile } from '../../x509/serving-profile.ts';
import { accessPolicy } from '../set-up/access-policy.ts';

type ConfiguredEndpoint = Configuration['endpoints'][number];

/** Everything that the configuration says of one endpoint, as plain data: when any of it changes, the endpoint is made anew. */
export interface EndpointSettings {
  readonly definition: EndpointDefinition;
  readonly names: readonly EndpointName[];
  readonly access: CallerPolicy;
  readonly calls: CallLimits;
  readonly rules: Pick<
    EndpointDependencies,
    'limits' | 'checks' | 'serving' | 'selfSigned' | 'expiryThresholds' | 'watch'
  >;
  readonly worker: { readonly deadline: number; readonly workers: number };
}

/** @throws InvalidMember for a user or a group that does not exist */
export function endpointSettings(
  configuration: Configuration,
  accounts: SystemAccounts,
): readonly EndpointSettings[] {
  const { limits } = configuration;
  return configuration.endpoints.map((endpoint, at) => {
    const { type, name, alias } = endpoint;
    const path = `/endpoints/${at}`;
    const names = alias === undefined ? [name] : [name, alias];
    return {
      definition: definitionOf(endpoint, path, accounts),
      names: names.map((one) => ({ type, name: one })),
      access: endpoint.access
        ? accessPolicy(endpoint.access, `${path}/access`, accounts)
        : accessPolicy(configuration.access, '/access', accounts),
      // Room for a few of the largest uploads that wait for their turn
      calls: { calls: limits.busCalls, bytes: 4 * limits.uploadBytes },
      rules: rulesOf(configuration, endpoint),
      worker: { deadline: limits.requestSeconds * 1000, workers: limits.requestWorkers },
    };
  });
}

function definitionOf(
  { type, name, path, group, reload }: ConfiguredEndpoint,
  member: string,
  accounts: SystemAccounts,
): EndpointDefinition {
  const targets = reload.flatMap(({ unit, pidFile }): ReloadTarget[] => {
    if (unit !== undefined) return [{ unit }];
    return pidFile !== undefined ? [{ pidFile }] : [];
  });
  const access = group === undefined ? {} : { group: accounts.groupId(group, `${member}/group`) };
  return { type, name, path, reload: targets, ...access };
}

function rulesOf(
  configuration: Configuration,
  endpoint: ConfiguredEndpoint,
): EndpointSettings['rules'] {
  const { limits, checks, selfSigned, expiry, watch } = configuration;
  const { requireCa = checks.requireCa, maxCertificates = limits.authorities } = endpoint;
  return {
    limits: {
      uploadBytes: limits.uploadBytes,
      chain: limits.chainCertificates,
      authorities: maxCertificates,
      pendingRequests: limits.pendingRequests,
      queuedRequests: limits.queuedRequests,
      refusedFiles: limits.refusedFiles,
      content: contentLimitsOf(configuration, maxCertificates),
    },
    checks: { ...checks, requireCa },
    serving: servingOf(configuration, endpoint),
    selfSigned,
    expiryThresholds: expiry.thresholdDays,
    watch: { settle: watch.settleMilliseconds, grace: watch.graceMilliseconds },
  };
}

/** Our own Redfish service serves with its profile; of other services the configuration knows no more than a level. */
function servingOf(
  { redfish }: Configuration,
  { type, name, securityLevel }: ConfiguredEndpoint,
): ServingProfile {
  const isOurs = type === 'server' && name === redfish.endpoint;
  return isOurs
    ? servingProfile(redfish.tls.profile, securityLevel)
    : usualServingProfile(securityLevel);
}
