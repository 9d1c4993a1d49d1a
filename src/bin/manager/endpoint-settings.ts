import type { EndpointName } from '../../dbus/certs/endpoint-names.ts';
import type { CallerPolicy } from '../../dbus/server/caller-policy.ts';
import type { CallLimits } from '../../dbus/transport/call-flow.ts';
import type { EndpointDefinition, ReloadTarget } from '../../manager/endpoint-definition.ts';
import type { EndpointDependencies } from '../../manager/endpoint-dependencies.ts';
import type { SigningLimits } from '../../manager/signing/signer.ts';
import { type Configuration, contentLimitsOf } from '../../platform/configuration.ts';
import { InvalidMember } from '../../platform/invalid-member.ts';
import type { SystemAccounts } from '../../platform/system-accounts.ts';
import { isMountPoint } from '../../storage/mount-point.ts';
import { servingProfile, usualServingProfile } from '../../tls/profile.ts';
import { parseGeneralName } from '../../x509/general-names.ts';
import type { ServingProfile } from '../../x509/serving-profile.ts';
import { accessPolicy } from '../set-up/access-policy.ts';

type ConfiguredEndpoint = Configuration['endpoints'][number];

/** Everything that the configuration says of one endpoint, as plain data: when any of it changes, the endpoint is made anew. */
export interface EndpointSettings {
  readonly definition: EndpointDefinition;
  readonly names: readonly EndpointName[];
  /** Of the host that its service is. */
  readonly certificateNames: readonly string[];
  readonly access: CallerPolicy;
  readonly calls: CallLimits;
  readonly signing: SigningLimits;
  readonly rules: Pick<
    EndpointDependencies,
    'limits' | 'checks' | 'serving' | 'selfSigned' | 'expiryThresholds' | 'watch'
  >;
  readonly worker: { readonly deadline: number; readonly workers: number };
}

/**
 * @throws InvalidMember for a user or a group that does not exist, a name that no certificate can have, and a truststore whose
 *   path is a mount point
 */
export function endpointSettings(
  configuration: Configuration,
  accounts: SystemAccounts,
): readonly EndpointSettings[] {
  return configuration.endpoints.map((endpoint, at) => {
    const { type, name, alias } = endpoint;
    const path = `/endpoints/${at}`;
    const names = alias === undefined ? [name] : [name, alias];
    return {
      definition: definitionOf(endpoint, path, accounts),
      names: names.map((one) => ({ type, name: one })),
      certificateNames: certificateNamesOf(endpoint, path),
      access: endpoint.access
        ? accessPolicy(endpoint.access, `${path}/access`, accounts)
        : accessPolicy(configuration.access, '/access', accounts),
      calls: callSettings(configuration),
      signing: signingLimits(configuration),
      rules: rulesOf(configuration, endpoint),
      worker: workerSettings(configuration),
    };
  });
}

export function signingLimits({ limits }: Configuration): SigningLimits {
  return { bytes: limits.signatureBytes, perMinute: limits.signaturesPerMinute };
}

/** What calls to an endpoint may cost: there is room for a few of the largest uploads that wait for their turn. */
export function callSettings({ limits }: Configuration): CallLimits {
  return { calls: limits.busCalls, bytes: 4 * limits.uploadBytes };
}

export function workerSettings({ limits }: Configuration): EndpointSettings['worker'] {
  return { deadline: limits.requestSeconds * 1000, workers: limits.requestWorkers };
}

function definitionOf(
  { type, name, path, group, reload }: ConfiguredEndpoint,
  member: string,
  accounts: SystemAccounts,
): EndpointDefinition {
  if (type === 'authority' && isMountPoint(path))
    throw new InvalidMember(
      `${member}/path`,
      `names the mount point ${path}, and every change puts a link in its place: mount the directory above it instead, or name that one in ReadWritePaths of the unit`,
    );
  const access = group === undefined ? {} : { group: accounts.groupId(group, `${member}/group`) };
  return { type, name, path, reload: reloadTargets(reload), ...access };
}

export function reloadTargets(reload: ConfiguredEndpoint['reload']): readonly ReloadTarget[] {
  return reload.flatMap(({ unit, pidFile }): ReloadTarget[] => {
    if (unit !== undefined) return [{ unit }];
    return pidFile !== undefined ? [{ pidFile }] : [];
  });
}

function certificateNamesOf(
  { type, certificateNames = [] }: ConfiguredEndpoint,
  member: string,
): readonly string[] {
  const path = `${member}/certificateNames`;
  if (type !== 'server' && certificateNames.length > 0)
    throw new InvalidMember(path, 'is for servers only');
  for (const [at, text] of certificateNames.entries()) {
    const kind = parseGeneralName(text)?.kind;
    if (kind !== 'dns' && kind !== 'ip')
      throw new InvalidMember(`${path}/${at}`, 'is no host name and no address');
  }
  return certificateNames;
}

export function rulesOf(
  configuration: Configuration,
  endpoint: Pick<
    ConfiguredEndpoint,
    'type' | 'name' | 'requireCa' | 'maxCertificates' | 'securityLevel'
  >,
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
  { type, name, securityLevel }: Pick<ConfiguredEndpoint, 'type' | 'name' | 'securityLevel'>,
): ServingProfile {
  const isOurs = type === 'server' && name === redfish.endpoint;
  return isOurs
    ? servingProfile(redfish.tls.profile, securityLevel)
    : usualServingProfile(securityLevel);
}
