import type { Implementation, InterfaceSpec } from '../server/interface.ts';

export const bundlesName = 'xyz.openbmc_project.Certs.TrustBundles';
export const bundlesRoot = '/xyz/openbmc_project/certs/trust_bundles';

const group = { Group: 's' } as const;
const setting = { Setting: 's' } as const;

export const bundleInterface = {
  name: 'xyz.openbmc_project.Certs.Extension.TrustBundle',
  about:
    `Of the program that keeps signed bundles of CAs up to date: ${bundlesName}, an object below ${bundlesRoot} for each bundle. ` +
    'Its callers are root, its own user, and the users that `trustBundles.access` of the [configuration](configuration.md) names. ' +
    'Times are in seconds since 1970; what is not known is 0 or empty.\n\n' +
    '`State` is `not configured`, `checking`, `downloading`, `verifying`, `loading`, `deactivated`, `error`, `stale` or `idle`, and ' +
    '`Failure` why the last poll failed: a code, a sentence, and when. `Enabled`, `IntervalHours`, `Url` and `RoutingInstance` are ' +
    'those in force; `SetAtRunTime` names those of them that `Set` set, and `Reset` gives back to the configuration. `Revision`, ' +
    '`VersionDate`, `NextUpdate`, `Count`, `Duplicates`, `Sha256`, `Signer` and `Root` are of the copy on the device, ' +
    '`ServerRevision` and `ServerDate` of what the server had when it was last asked; below `HighestRevision` nothing is taken. ' +
    '`Staleness` is `fresh`, `stale` or `refused`. `Blocked` are the certificates that the configuration blocks, ' +
    '`BlockedInBundle`, `Expired` and `Constrained` the CAs of the bundle that are kept out of the groups. `Downloads` are the last, ' +
    'newest first: when, `timer` or `command`, revision, its date, and `updated`, `unchanged` or a code. `Groups` are the name, ' +
    '`configuration` or `run time`, `loaded`, `waiting` or `error`, the revision in it, how many CAs are present and absent, and code ' +
    'and sentence of the last failure.\n\n' +
    '`CheckServer` reads the manifest alone and answers with revision and date. `Download` polls now, or joins a poll that runs, and ' +
    'answers with its row of `Downloads`; groups are loaded after it. `Load` has a group follow the bundle, and `LoadFile` adds the ' +
    'CAs of a file in PEM or PKCS #7 to it as if by hand; both return at once, and the outcome is in `Groups`. `Members` are the ' +
    'name, the SHA-256 of the certificate, `bundle` or `manual`, and `present` or `absent`. An error `Error.<Code>` has a code of ' +
    '[errors.md](errors.md), in words joined together. `Updated` and `UpdateFailed` come when a poll ends so.',
  methods: {
    CheckServer: { in: {}, out: { Version: '(tt)' }, privileged: true, reads: true },
    Download: { in: {}, out: { Download: '(tstts)' }, privileged: true },
    Load: { in: group, out: {}, privileged: true },
    LoadFile: { in: { ...group, Content: 'ay' }, out: {}, privileged: true },
    Members: { in: group, out: { Members: 'a(ssss)' }, privileged: true, reads: true },
    Set: { in: { ...setting, Value: 'v' }, out: {}, privileged: true },
    Reset: { in: setting, out: {}, privileged: true },
  },
  properties: {
    Name: 's',
    State: 's',
    Failure: '(sst)',
    Warnings: 'as',
    Enabled: 'b',
    IntervalHours: 'u',
    Url: 's',
    RoutingInstance: 's',
    SetAtRunTime: 'as',
    Revision: 't',
    VersionDate: 't',
    NextUpdate: 't',
    Count: 'u',
    Duplicates: 'u',
    Sha256: 's',
    Signer: 's',
    SignerNotAfter: 't',
    Root: 's',
    RootNotAfter: 't',
    HighestRevision: 't',
    ServerRevision: 't',
    ServerDate: 't',
    LastCheck: 't',
    LastSuccess: 't',
    NextPoll: 't',
    Staleness: 's',
    Blocked: 'u',
    BlockedInBundle: 'u',
    Expired: 'u',
    Constrained: 'u',
    Downloads: 'a(tstts)',
    Groups: 'a(ssstuuss)',
  },
  constant: ['Name'],
  signals: {
    Updated: { From: 't', To: 't', Added: 'as', Removed: 'as' },
    UpdateFailed: { Code: 's', Reason: 's' },
  },
} as const satisfies InterfaceSpec;

type Getters = Implementation<typeof bundleInterface>['properties'];

/** How a bundle stands, as the bus tells it. */
export type ToldBundle = { readonly [P in keyof Getters]: ReturnType<Getters[P]> };

export type ToldDownload = ToldBundle['Downloads'][number];

/** Name, SHA-256, source and state of a CA of a group. */
export type ToldMember = [name: string, sha256: string, source: string, state: string];

export const settableProperties = ['Enabled', 'IntervalHours', 'Url', 'RoutingInstance'] as const;

export type SettableProperty = (typeof settableProperties)[number];

export const bundleErrorPrefix = `${bundleInterface.name}.Error.`;

/** `hash-mismatch` is `HashMismatch` in the name of an error. */
export function errorNameOfCode(code: string): string {
  const words = code.split('-').map((word) => word.slice(0, 1).toUpperCase() + word.slice(1));
  return bundleErrorPrefix + words.join('');
}

/** The code in the name of an error; `undefined` for an error of others. */
export function codeOfErrorName(name: string): string | undefined {
  if (!name.startsWith(bundleErrorPrefix)) return undefined;
  const words = name.slice(bundleErrorPrefix.length).replace(/(?!^)[A-Z]/g, '-$&');
  return words.toLowerCase();
}
