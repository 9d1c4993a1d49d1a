import { CertError } from '../../core/cert-error.ts';
import type {
  SettableProperty,
  ToldBundle,
  ToldDownload,
} from '../../dbus/trust-bundle/bundle-interface.ts';
import type { ServedBundle } from '../../dbus/trust-bundle/bundle-objects.ts';
import type {
  BundleStatus,
  BundleVersion,
  DownloadRecord,
  GroupStatus,
} from '../../trust-bundle/bundle-status.ts';
import type { SettingName } from '../../trust-bundle/settings.ts';
import type { TrustBundle } from '../../trust-bundle/trust-bundle.ts';

/** The names of settings on the bus. */
const settings: Readonly<Record<SettableProperty, SettingName>> = {
  Enabled: 'enabled',
  IntervalHours: 'intervalHours',
  Url: 'url',
  RoutingInstance: 'routingInstance',
};

/** A bundle as its callers on the bus see it. */
export function servedBundle(bundle: TrustBundle): ServedBundle {
  return {
    name: bundle.name,
    told: () => toldBundle(bundle.status()),
    async checkServer() {
      const { revision, date } = await bundle.checkServer();
      return [BigInt(revision), secondsOf(date)];
    },
    download: async () => toldDownload(await bundle.download()),
    load: (group) => bundle.load(group, { kind: 'default' }),
    loadFile: (group, content) => bundle.load(group, { kind: 'file', content }),
    members(name) {
      const group = bundle.status().groups.find((one) => one.name === name);
      if (!group) throw new CertError('not-found', `no group ${name} is loaded with the bundle`);
      return group.members.map((one) => [one.name, one.sha256, one.source, one.state]);
    },
    set: (setting, value) => bundle.set(settings[setting], value),
    reset: (setting) => bundle.reset(settings[setting]),
  };
}

function toldBundle(status: BundleStatus): ToldBundle {
  const { version, serverVersion, policy, settings: effective } = status;
  const { enabled, intervalHours, url, routingInstance } = effective;
  const names = Object.keys(settings) as readonly SettableProperty[];
  return {
    Name: status.name,
    State: status.state,
    Failure: toldFailure(status),
    Warnings: [...status.warnings],
    Enabled: enabled.value,
    IntervalHours: intervalHours.value,
    Url: url.value ?? '',
    RoutingInstance: routingInstance.value,
    SetAtRunTime: names.filter((name) => effective[settings[name]].origin === 'run time'),
    ...toldVersion(status),
    HighestRevision: BigInt(status.highestRevision),
    ServerRevision: BigInt(serverVersion?.revision ?? 0),
    ServerDate: secondsOf(serverVersion?.date),
    LastCheck: secondsOf(status.lastCheck),
    LastSuccess: secondsOf(status.lastSuccess),
    NextPoll: secondsOf(status.nextPoll),
    Staleness: status.staleness,
    Count: version?.count ?? 0,
    Duplicates: version?.duplicates ?? 0,
    Blocked: policy.blocked,
    BlockedInBundle: policy.blockedInBundle,
    Expired: policy.expired,
    Constrained: policy.constrained,
    Downloads: status.downloads.map(toldDownload),
    Groups: status.groups.map(toldGroup),
  };
}

function toldVersion({ version }: BundleStatus) {
  return {
    Revision: BigInt(version?.revision ?? 0),
    VersionDate: secondsOf(version?.date),
    NextUpdate: secondsOf(version?.nextUpdate),
    Sha256: version?.sha256 ?? '',
    Signer: version?.signer ?? '',
    SignerNotAfter: secondsOf(version?.signerNotAfter),
    Root: version?.root ?? '',
    RootNotAfter: secondsOf(version?.rootNotAfter),
  };
}

function toldFailure({ lastFailure }: BundleStatus): ToldBundle['Failure'] {
  if (!lastFailure) return ['', '', 0n];
  const { code, reason, at } = lastFailure;
  return [code, reason, secondsOf(at)];
}

function toldDownload({ at, trigger, version, result }: DownloadRecord): ToldDownload {
  return [secondsOf(at), trigger, ...versionRow(version), result];
}

function versionRow(version: BundleVersion | undefined): [bigint, bigint] {
  return [BigInt(version?.revision ?? 0), secondsOf(version?.date)];
}

function toldGroup(group: GroupStatus): ToldBundle['Groups'][number] {
  const { name, origin, state, revision = 0, members, lastFailure } = group;
  const present = members.filter((one) => one.state === 'present').length;
  const counts = [present, members.length - present] as const;
  const { code = '', reason = '' } = lastFailure ?? {};
  return [name, origin, state, BigInt(revision), ...counts, code, reason];
}

/** 0 for what is not known. */
function secondsOf(time: Date | undefined): bigint {
  return BigInt(Math.max(0, Math.floor((time?.getTime() ?? 0) / 1000)));
}
