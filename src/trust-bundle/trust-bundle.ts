import type { BundleStatus, BundleVersion, DownloadRecord } from './bundle-status.ts';
import type { BundleSettings, RunTimeSettings, SettingName } from './settings.ts';

/** The bundle on the device, or a file in PEM or PKCS #7 (PEM or DER) that the operator handed over. */
export type LoadSource =
  | { readonly kind: 'default' }
  | { readonly kind: 'file'; readonly content: Buffer };

export type BundleEvent =
  /** Anything of the status. */
  | { readonly kind: 'status' }
  | {
      readonly kind: 'updated';
      readonly from: number | undefined;
      readonly to: number;
      /** Hexadecimal SHA-256 of certificates. */
      readonly added: readonly string[];
      readonly removed: readonly string[];
    }
  | { readonly kind: 'update failed'; readonly code: string; readonly reason: string };

/** What the program offers of one bundle. Rejections are BundleFaults. */
export interface TrustBundle {
  readonly name: string;
  status(): BundleStatus;
  /** Reads and verifies the manifest alone. Nothing changes but what the status says of the server. */
  checkServer(): Promise<BundleVersion>;
  /** Joins a download that runs. Groups are loaded after it in the background. */
  download(): Promise<DownloadRecord>;
  /**
   * Begins to load a group, which comes into being if it is not there, and returns; the outcome is in the status.
   * `default` has the group follow the bundle from then on; the CAs of a file count as added by hand.
   * @throws BundleFault for what can be told at once
   */
  load(group: string, source: LoadSource): Promise<void>;
  /** In force when it resolves, also for a download that runs: its result is discarded. @throws BundleFault `setting` */
  set<K extends SettingName>(name: K, value: RunTimeSettings[K]): Promise<void>;
  /** To what the configuration says. */
  reset(name: SettingName): Promise<void>;
  /** @returns how to unsubscribe */
  subscribe(listener: (event: BundleEvent) => void): () => void;
}

export interface BundleUpdater {
  /** Ordered by name. */
  list(): readonly TrustBundle[];
  find(name: string): TrustBundle | undefined;
  /**
   * Finds new settings good without any change, and answers what puts them in force.
   * @throws BundleFault `setting`
   */
  prepare(settings: readonly BundleSettings[]): () => Promise<void>;
  /** Ends all timers and requests, and waits for what is being written. */
  close(): Promise<void>;
}
