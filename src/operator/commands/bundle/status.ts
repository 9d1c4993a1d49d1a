import type { ToldBundle } from '../../../dbus/trust-bundle/bundle-interface.ts';
import { operatorCommand } from '../../context.ts';
import type { Fields } from '../../framework/fields.ts';
import { groupFields, groupRow } from './group-row.ts';
import {
  bundleField,
  bundleOption,
  downloadFields,
  downloadRow,
  numberOf,
  timeOf,
  withBundle,
} from './program.ts';

const states = {
  idle: 'good',
  'not configured': 'warning',
  deactivated: 'warning',
  error: 'bad',
  stale: 'bad',
} as const;

const time = { type: 'time', optional: true } as const;
const text = { type: 'text', optional: true } as const;
const number = { type: 'number', optional: true } as const;
const withOrigin = { type: 'text', optional: true } as const;

const statusFields = {
  bundle: bundleField,
  state: {
    type: 'text',
    title: 'State',
    tones: states,
    about:
      '`not configured`, `checking`, `downloading`, `verifying`, `loading`, `deactivated`, `error`, `stale` or `idle`',
  },
  failureCode: { ...text, about: 'why the last poll failed' },
  failureReason: { ...text, about: 'the same as a sentence' },
  failureAt: { ...time, about: 'when that was' },
  failure: { ...text, title: 'Last failure', about: 'the three of them' },
  warnings: { type: 'texts', title: 'Warnings', about: 'what an operator should know' },
  revision: { ...number, title: 'Version number', about: 'of the copy on the device' },
  date: { ...time, title: 'Version date', about: 'of that version' },
  certificates: { ...number, title: 'CAs', about: 'how many it has' },
  serverRevision: {
    ...number,
    title: 'At the server',
    about: 'version number that the server had when it was last asked',
  },
  serverDate: { ...time, about: 'its date' },
  highestRevision: { ...number, about: 'below which nothing is taken' },
  nextUpdate: { ...time, title: 'Next update by', about: 'when the publisher has a newer one' },
  signer: { ...text, title: 'Signed by', about: 'subject of the signer' },
  signerNotAfter: { ...time, about: 'end of the certificate of the signer' },
  root: { ...text, title: 'Pinned root', about: 'that the signer leads to' },
  rootNotAfter: { ...time, title: 'Root ends', about: 'end of the pinned root' },
  sha256: { ...text, about: 'of the target, hexadecimal' },
  staleness: { type: 'text', about: '`fresh`, `stale` or `refused`' },
  lastCheck: { ...time, title: 'Last check', about: 'when the server was last asked' },
  lastSuccess: {
    ...time,
    title: 'Last success',
    about: 'when it last answered with a good bundle',
  },
  nextPoll: { ...time, title: 'Next poll', about: 'when it is asked next' },
  enabled: { type: 'flag', about: 'whether the server is polled without a command' },
  intervalHours: { type: 'number', about: 'hours from poll to poll' },
  url: { ...text, about: 'of the server' },
  routingInstance: { ...text, about: 'what requests are sent from' },
  setAtRunTime: {
    type: 'texts',
    about: 'those of the four that were set at run time; the others are of the configuration',
  },
  polling: { ...withOrigin, title: 'Polling', about: 'in words, with its origin' },
  interval: { ...withOrigin, title: 'Interval', about: 'in words, with its origin' },
  server: { ...withOrigin, title: 'URL', about: 'with its origin' },
  instance: { ...withOrigin, title: 'Routing instance', about: 'with its origin' },
  blocked: { type: 'number', about: 'certificates that the configuration blocks' },
  blockedInBundle: { type: 'number', about: 'of those, how many the bundle has' },
  expired: { type: 'number', about: 'CAs that are kept out since they have expired' },
  constrained: { type: 'number', about: 'CAs that are kept out since their trust is constrained' },
  keptOut: { ...text, title: 'Kept out', about: 'the four of them' },
  groupsShown: { type: 'texts', title: 'Groups', about: 'that follow the bundle' },
  groups: { type: 'rows', about: 'the same in full', fields: groupFields },
  downloadsShown: { type: 'texts', title: 'Downloads', about: 'the last ones, newest first' },
  downloads: { type: 'rows', about: 'the same in full', fields: downloadFields },
} as const satisfies Fields;

export const bundleStatus = operatorCommand({
  name: 'bundle status',
  summary: 'show version, settings, groups and downloads of a bundle of CAs',
  options: bundleOption,
  fields: statusFields,
  examples: [{ command: 'bundle status', about: 'Version number and date, and the next poll' }],
  run: ({ options, context }) =>
    withBundle(context, 'bundle status', options, async (bundle) => ({
      data: statusRow(await bundle.status()),
    })),
});

function statusRow(told: ToldBundle) {
  const { Enabled, IntervalHours, Url, RoutingInstance, SetAtRunTime } = told;
  const [code, reason, at] = told.Failure;
  const groups = told.Groups.map(groupRow);
  const downloads = told.Downloads.map(downloadRow);
  const from = (name: string) => (SetAtRunTime.includes(name) ? '(run time)' : '(configuration)');
  return {
    bundle: told.Name,
    state: told.State,
    failureCode: code || null,
    failureReason: reason || null,
    failureAt: timeOf(at),
    failure: code === '' ? null : `${code}: ${reason} (${shortTime(timeOf(at))})`,
    warnings: told.Warnings,
    revision: numberOf(told.Revision),
    date: timeOf(told.VersionDate),
    certificates: told.Revision === 0n ? null : told.Count,
    serverRevision: numberOf(told.ServerRevision),
    serverDate: timeOf(told.ServerDate),
    highestRevision: numberOf(told.HighestRevision),
    nextUpdate: timeOf(told.NextUpdate),
    signer: told.Signer || null,
    signerNotAfter: timeOf(told.SignerNotAfter),
    root: told.Root || null,
    rootNotAfter: timeOf(told.RootNotAfter),
    sha256: told.Sha256 || null,
    staleness: told.Staleness,
    lastCheck: timeOf(told.LastCheck),
    lastSuccess: timeOf(told.LastSuccess),
    nextPoll: timeOf(told.NextPoll),
    enabled: Enabled,
    intervalHours: IntervalHours,
    url: Url || null,
    routingInstance: RoutingInstance || null,
    setAtRunTime: SetAtRunTime,
    polling: `${Enabled ? 'on' : 'off'} ${from('Enabled')}`,
    interval: `${IntervalHours} hours ${from('IntervalHours')}`,
    server: Url === '' ? null : `${Url} ${from('Url')}`,
    instance: RoutingInstance === '' ? null : `${RoutingInstance} ${from('RoutingInstance')}`,
    blocked: told.Blocked,
    blockedInBundle: told.BlockedInBundle,
    expired: told.Expired,
    constrained: told.Constrained,
    keptOut: keptOut(told),
    groupsShown: groups.map(({ group, state, present, absent, revision, failure }) => {
      const version = revision === null ? '' : ` at ${revision}`;
      const why = failure === null ? '' : `, ${failure}`;
      return `${group}: ${state}${version}, ${present} CAs, ${absent} absent${why}`;
    }),
    groups,
    // A terminal has no room for all of them
    downloadsShown: downloads
      .slice(0, 3)
      .map(({ at: when, trigger, revision, result }) =>
        [shortTime(when), trigger, revision ?? 'no revision', result].join(' '),
      ),
    downloads,
  };
}

function keptOut({ Blocked, BlockedInBundle, Expired, Constrained }: ToldBundle): string | null {
  const parts = [
    ...(Blocked > 0 ? [`blocked ${Blocked}, matched ${BlockedInBundle}`] : []),
    ...(Expired > 0 ? [`expired ${Expired}`] : []),
    ...(Constrained > 0 ? [`constrained ${Constrained}`] : []),
  ];
  return parts.length === 0 ? null : parts.join('; ');
}

function shortTime(time: Date | null): string {
  return (time ?? new Date(0)).toISOString().replace('.000Z', 'Z');
}
