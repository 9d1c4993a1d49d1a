import type { TrustBundleState } from '../../schemas/generated/validators.js';
import { reasonOf } from '../core/cert-error.ts';
import type { LookUpName } from '../outbound/name-lookup.ts';
import type { Certificate } from '../x509/certificate.ts';
import { baseUrl, mustExist, sourceAddress } from './bundle-address.ts';
import { readBundleContent } from './bundle-content.ts';
import { BundleFault } from './bundle-fault.ts';
import type { BundleMemory } from './bundle-memory.ts';
import type { BundleCopy, CopyStore } from './copy-store.ts';
import { fetchManifest, fetchTarget, type VerifiedManifest } from './fetch-bundle.ts';
import type { BundleServer } from './fetch-file.ts';
import type { WantedCas } from './group-content.ts';
import { readPinnedRoots } from './pinned-roots.ts';
import { allowedCas } from './policy.ts';
import { day, stalenessOf } from './schedule.ts';
import type { BundlePolicy, BundleSettings, EffectiveSettings } from './settings.ts';

export interface CopyDependencies {
  readonly copies: CopyStore;
  readonly memory: BundleMemory;
  readonly lookUp: LookUpName;
  readonly now: () => number;
  /** When the program was built: the time cannot be before it. */
  readonly buildTime: Date;
  readonly settings: () => BundleSettings;
  readonly effective: () => EffectiveSettings;
}

/** The copy of one bundle on the device, the roots that it is verified with, and how it follows the server. */
export class DeviceCopy {
  readonly #of: CopyDependencies;
  #copy: BundleCopy | undefined;
  #roots: readonly Certificate[] | BundleFault = [];

  private constructor(dependencies: CopyDependencies, copy: BundleCopy | undefined) {
    this.#of = dependencies;
    this.#copy = copy;
  }

  /** @throws what the file system throws when it gives no answer */
  static async open(dependencies: CopyDependencies): Promise<DeviceCopy> {
    const copy = new DeviceCopy(dependencies, await dependencies.copies.read());
    await copy.readRoots();
    return copy;
  }

  get current(): BundleCopy | undefined {
    return this.#copy;
  }

  /** Whether there is anything to ask, and anything to verify the answer with. */
  get isConfigured(): boolean {
    const hasRoots = this.#roots instanceof BundleFault || this.#roots.length > 0;
    return this.#of.effective().url.value !== undefined && hasRoots;
  }

  /** What was in force. A kill may have come between the switch of the copy and the note of its revision. */
  get highest(): TrustBundleState['highest'] {
    const { highest } = this.#of.memory.value;
    const { revision = 0, target } = this.#copy?.manifest ?? {};
    if (!target || revision <= (highest?.revision ?? 0)) return highest;
    return { revision, sha256: target.sha256 };
  }

  /** Milliseconds since 1970, and no less than have certainly passed. */
  get time(): number {
    return Math.max(this.#of.now(), this.#floor);
  }

  get seconds(): number {
    return Math.floor(this.time / 1000);
  }

  get isClockSuspect(): boolean {
    return this.#floor > this.#of.now() + day;
  }

  get staleness(): 'fresh' | 'stale' | 'refused' {
    if (!this.#copy) return 'fresh';
    const { date, nextUpdate } = this.#copy.manifest;
    const { lastSuccess = date.getTime() } = this.#of.memory.value;
    const confirmation = { lastSuccess, nextUpdate: nextUpdate.getTime() };
    return stalenessOf(confirmation, this.#of.settings(), this.time);
  }

  /** Never rejects: what is wrong with them is told when they are needed. */
  async readRoots(): Promise<void> {
    const { pinnedRoots } = this.#of.settings();
    try {
      this.#roots = pinnedRoots === undefined ? [] : await readPinnedRoots(pinnedRoots);
    } catch (error) {
      const isFault = error instanceof BundleFault;
      this.#roots = isFault ? error : new BundleFault('internal', reasonOf(error));
    }
  }

  /** @throws BundleFault `not-configured`, `pinned-roots`, `routing-instance` */
  async server(signal: AbortSignal): Promise<BundleServer> {
    await this.readRoots();
    if (this.#roots instanceof BundleFault) throw this.#roots;
    const { url, routingInstance } = this.#of.effective();
    const { name, limits } = this.#of.settings();
    const lacking = url.value === undefined ? 'URL' : 'pinned root';
    if (url.value === undefined || this.#roots.length === 0)
      throw new BundleFault('not-configured', `the bundle ${name} has no ${lacking}`);
    await mustExist(routingInstance.value);
    const localAddress = sourceAddress(routingInstance.value);
    return { base: baseUrl(url.value), localAddress, limits, lookUp: this.#of.lookUp, signal };
  }

  /** @throws BundleFault */
  fetchManifest(server: BundleServer): Promise<VerifiedManifest> {
    const { entityTag } = this.#of.memory.value;
    const etag = entityTag?.url === server.base.href ? entityTag.value : undefined;
    return fetchManifest(server, this.#rules, { copy: this.#copy, etag });
  }

  /** Whether a manifest tells anything that the copy does not. */
  isNews({ manifest }: VerifiedManifest): boolean {
    const stored = this.#copy?.manifest;
    if (!stored || manifest.revision > stored.revision) return true;
    return manifest.nextUpdate > stored.nextUpdate;
  }

  /** Puts what a manifest names in force. When it rejects, what was in force still is. @throws BundleFault */
  async update(
    server: BundleServer,
    found: VerifiedManifest,
    verifying: () => void,
  ): Promise<BundleCopy> {
    const { copies, memory } = this.#of;
    const { manifest, bytes, signature, etag } = found;
    const { sha256 } = manifest.target;
    const isStored = this.#copy?.manifest.target.sha256 === sha256;
    const stored = isStored ? () => copies.readTarget(sha256) : undefined;
    const { files, summary } = await fetchTarget(server, this.#rules, found, stored, verifying);
    const lastLook = () => server.signal.throwIfAborted();
    await copies.write(manifest.revision, files, summary, lastLook);
    this.#copy = { manifest, summary, manifestBytes: bytes, manifestSignature: signature };
    await memory.note(({ entityTag: _old, ...state }) => ({
      ...state,
      highest: { revision: manifest.revision, sha256 },
      ...(etag !== undefined && { entityTag: { url: server.base.href, value: etag } }),
    }));
    return this.#copy;
  }

  /** What groups are to have now; `undefined` before the first download. @throws BundleFault `stale`, `storage` */
  async wanted(): Promise<WantedCas | undefined> {
    if (!this.#copy) return undefined;
    this.refuseStale();
    const { manifest } = this.#copy;
    const bytes = await this.#of.copies.readTarget(manifest.target.sha256);
    const { certificates } = await readBundleContent(bytes, Number.POSITIVE_INFINITY);
    const { policy } = this.#of.settings();
    const allowedBy = (rules: BundlePolicy) =>
      allowedCas(certificates, manifest, rules, this.seconds);
    const allowed = allowedBy(policy);
    const isEmptiedByBlock =
      allowed.length === 0 && allowedBy({ ...policy, blocked: [] }).length > 0;
    return { revision: manifest.revision, certificates: allowed, isEmptiedByBlock };
  }

  /** @throws BundleFault `stale` */
  refuseStale(): void {
    if (this.staleness === 'refused')
      throw new BundleFault('stale', 'the bundle was not confirmed by its server for too long');
  }

  get #floor(): number {
    return Math.max(this.#of.buildTime.getTime(), this.#copy?.manifest.date.getTime() ?? 0);
  }

  get #rules() {
    const { name, signerPurposes: purposes } = this.#of.settings();
    const roots = this.#roots instanceof BundleFault ? [] : this.#roots;
    return { name, highest: this.highest, signer: { roots, now: this.seconds, purposes } };
  }
}
