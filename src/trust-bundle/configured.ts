import { reasonOf } from '../core/cert-error.ts';
import { type Configuration, parseConfiguration } from '../platform/configuration.ts';
import { InvalidMember } from '../platform/invalid-member.ts';
import { BundleFault } from './bundle-fault.ts';
import { checkSettings } from './bundle-settings.ts';
import { type BundleSettings, defaultBundleName } from './settings.ts';

type ConfiguredBundle = Configuration['trustBundles']['bundles'][number];

/**
 * @param loginGroups groups whose CAs let clients log in
 * @returns those of all bundles; the default one is always among them
 * @throws InvalidMember for what contradicts itself
 */
export function bundleSettings(
  { trustBundles }: Configuration,
  loginGroups: readonly string[],
): readonly BundleSettings[] {
  const { bundles } = trustBundles;
  for (const [at, { name, warnAfterDays, refuseAfterDays }] of bundles.entries()) {
    const path = `/trustBundles/bundles/${at}`;
    const other = bundles.findIndex((one) => one.name === name);
    if (other !== at)
      throw new InvalidMember(`${path}/name`, `is that of /trustBundles/bundles/${other}, too`);
    if (refuseAfterDays < warnAfterDays)
      throw new InvalidMember(`${path}/refuseAfterDays`, `is below warnAfterDays ${warnAfterDays}`);
  }
  refuseSharedGroups(bundles);
  const hasDefault = bundles.some(({ name }) => name === defaultBundleName);
  const all = hasDefault ? bundles : [...bundles, ...unconfigured()];
  const settings = all.map((one) => settingsOf(one, loginGroups));
  for (const [at, one] of settings.entries()) refuseBad(one, `/trustBundles/bundles/${at}`);
  return settings;
}

/** @throws InvalidMember */
function refuseBad(settings: BundleSettings, path: string): void {
  try {
    checkSettings(settings);
  } catch (error) {
    const [, name, fault] = /^(\w+): (.*)$/s.exec(reasonOf(error)) ?? [];
    if (!(error instanceof BundleFault) || name === undefined || fault === undefined) throw error;
    throw new InvalidMember(`${path}/${name}`, fault.replace(/\.$/, ''));
  }
}

/** Two bundles would take turns in removing the CAs of the other. */
function refuseSharedGroups(bundles: readonly ConfiguredBundle[]): void {
  const owners = new Map<string, string>();
  for (const [at, { groups }] of bundles.entries()) {
    for (const [of, group] of groups.entries()) {
      const path = `/trustBundles/bundles/${at}/groups/${of}`;
      const other = owners.get(group);
      if (other !== undefined) throw new InvalidMember(path, `is that of ${other}, too`);
      owners.set(group, path);
    }
  }
}

/** What a configuration has that says nothing of bundles. */
function unconfigured(): readonly ConfiguredBundle[] {
  return parseConfiguration('{}', 'of the defaults').trustBundles.bundles;
}

function settingsOf(bundle: ConfiguredBundle, loginGroups: readonly string[]): BundleSettings {
  const { name, enabled, intervalHours, jitterPercent, url, routingInstance } = bundle;
  const { pinnedRoots, signerPurposes, groups, warnAfterDays, refuseAfterDays, limits } = bundle;
  const { filterExpired, filterConstrained, maxRemovedPercent } = bundle;
  const blocked = bundle.blocked.map((one) => one.replaceAll(':', '').toLowerCase());
  return {
    ...{ name, enabled, intervalHours, jitterPercent, url, routingInstance },
    ...{ pinnedRoots, signerPurposes, groups, loginGroups, warnAfterDays, refuseAfterDays },
    policy: { blocked, filterExpired, filterConstrained, maxRemovedPercent },
    limits: {
      maxBytes: limits.bytes,
      maxCertificates: limits.certificates,
      maxManifestBytes: limits.manifestBytes,
      idleMilliseconds: limits.idleSeconds * 1000,
      deadlineMilliseconds: limits.deadlineSeconds * 1000,
    },
  };
}
