/** What the configuration says of one trust bundle. Changes of the first four at run time are kept beside it. */
export interface BundleSettings {
  /** Also the name of the target at the server. */
  readonly name: string;
  /** Whether it is polled without a command. */
  readonly enabled: boolean;
  readonly intervalHours: number;
  /** Where manifest and target are: `http://HOST/PATH`, or a host alone. */
  readonly url: string | undefined;
  /** What requests are sent from: `addr:IP`, or empty for what the system chooses. */
  readonly routingInstance: string;
  /** File in PEM, or directory of such files, with the roots that the signer's chain ends at. */
  readonly pinnedRoots: string | undefined;
  /** The signer's certificate must have one of these purposes, as dotted OIDs. */
  readonly signerPurposes: readonly string[];
  /** Groups that are loaded after each change: authority endpoints of run time. */
  readonly groups: readonly string[];
  /** Groups whose CAs let clients log in at another service: no command loads them. */
  readonly loginGroups: readonly string[];
  readonly policy: BundlePolicy;
  readonly limits: BundleLimits;
  readonly jitterPercent: number;
  /** Days without a new confirmation after which the copy counts as stale. */
  readonly warnAfterDays: number;
  /** Days without a new confirmation after which the copy is no longer loaded into groups. */
  readonly refuseAfterDays: number;
}

/** What the device makes of a bundle that is good. */
export interface BundlePolicy {
  /** Hexadecimal SHA-256, in lower case, of certificates that are distrusted here, however they came. */
  readonly blocked: readonly string[];
  /** Whether CAs that have expired are kept out of the groups. */
  readonly filterExpired: boolean;
  /** Whether CAs whose constraints the readers of a group's files cannot enforce are kept out. */
  readonly filterConstrained: boolean;
  /** A bundle that removes more of the CAs than this is warned of. */
  readonly maxRemovedPercent: number;
}

export interface BundleLimits {
  /** Of the target. */
  readonly maxBytes: number;
  readonly maxCertificates: number;
  readonly maxManifestBytes: number;
  /** Until the headers of an answer, and between two pieces of its body. */
  readonly idleMilliseconds: number;
  /** For one file. */
  readonly deadlineMilliseconds: number;
}

export const defaultBundleName = 'default-trusted-ca-certs';

export const settingNames = ['enabled', 'intervalHours', 'url', 'routingInstance'] as const;

/** The settings that can be changed at run time. */
export type SettingName = (typeof settingNames)[number];

export type RunTimeSettings = {
  readonly [K in SettingName]: BundleSettings[K];
};

/** A setting in force, and who said it. */
export type EffectiveSettings = {
  readonly [K in SettingName]: {
    readonly value: BundleSettings[K];
    readonly origin: 'configuration' | 'run time';
  };
};
