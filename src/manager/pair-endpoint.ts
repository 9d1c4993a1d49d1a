import { type Change, type Changer, makeChanger } from './change.ts';
import {
  type Check,
  certificateChecks,
  enforce,
  type KeyedCandidate,
  pairChecks,
  serverChecks,
} from './checks.ts';
import type { CsrParameters } from './csr/parameters.ts';
import type {
  Endpoint,
  EndpointDefinition,
  EndpointEvent,
  InstalledCertificate,
} from './endpoint.ts';
import { EndpointEvents } from './endpoint-events.ts';
import { CertError } from './errors.ts';
import { generateCertificate, isGenerated, renewalReason } from './generated-certificate.ts';
import { type KeySource, pairWithKey, presumedLeaf } from './pairing.ts';
import { RequestDesk } from './request-desk.ts';
import { type PairFile, pairFile } from './store/pair-file.ts';
import { PendingRequests } from './store/pending-requests.ts';
import type { Surroundings } from './surroundings.ts';
import { parseUpload } from './upload.ts';
import { publicKeyHash, publicKeyInfo } from './x509/keys.ts';

const onlyId = '1';

/** Server or client: one certificate with its key in one file. A server is never without one. */
export class PairEndpoint implements Endpoint {
  readonly definition: EndpointDefinition;
  readonly #surroundings: Surroundings;
  readonly #file: PairFile;
  readonly #pending: PendingRequests;
  readonly #desk: RequestDesk;
  readonly #change: Changer;
  readonly #events: EndpointEvents;
  #pair: KeyedCandidate | undefined;

  constructor(definition: EndpointDefinition, surroundings: Surroundings) {
    this.definition = definition;
    this.#surroundings = surroundings;
    this.#file = pairFile(definition.path, definition.group);
    this.#pending = new PendingRequests(`${definition.path}.requests`, surroundings.limits.pending);
    this.#events = new EndpointEvents(surroundings.log);
    this.#desk = new RequestDesk(this.#pending, surroundings, (event) => this.#events.emit(event));
    this.#change = makeChanger(() => surroundings.reload(definition));
  }

  async start(): Promise<void> {
    await this.#open();
    const loaded = await this.#load();
    if (loaded) this.#publish(loaded);
    await this.maintain();
  }

  stop(): void {
    this.#events.close();
  }

  list(): readonly InstalledCertificate[] {
    return this.#pair ? [asInstalled(this.#pair)] : [];
  }

  async install(text: string): Promise<InstalledCertificate> {
    return asInstalled(
      await this.#change({
        ...this.#store(),
        validate: async () => {
          if (this.#pair) {
            throw new CertError(
              'already-installed',
              'a certificate is installed; replace that one',
            );
          }
          return this.#check(text);
        },
      }),
    );
  }

  async installAll(): Promise<never> {
    throw this.#notAuthority();
  }

  async replace(id: string, text: string): Promise<InstalledCertificate> {
    return asInstalled(
      await this.#change({
        ...this.#store(),
        validate: async () => {
          this.#mustExist(id);
          return this.#check(text);
        },
      }),
    );
  }

  async replaceAll(): Promise<never> {
    throw this.#notAuthority();
  }

  async delete(id: string): Promise<void> {
    await this.#change(this.#removal(() => this.#mustExist(id)));
  }

  async deleteAll(): Promise<void> {
    await this.#change(this.#removal(() => undefined));
  }

  makeRequest(parameters: CsrParameters): Promise<string> {
    return this.#desk.make(parameters);
  }

  beginRequest(parameters: CsrParameters): Promise<void> {
    return this.#desk.begin(parameters);
  }

  newestRequest(): string {
    return this.#desk.newest();
  }

  subscribe(listener: (event: EndpointEvent) => void): void {
    this.#events.subscribe(listener);
  }

  /** Gives a server without a certificate one, and renews one of our own when its time has come. */
  async maintain(): Promise<void> {
    if (!this.#pair && this.definition.type === 'server') {
      await this.#generate('there is no certificate', () => !this.#pair);
    }
    const reason = this.#renewalReason();
    if (reason !== undefined)
      await this.#generate(reason, () => this.#renewalReason() !== undefined);
  }

  /** Why the certificate in service should make room; never for one that an operator installed. */
  #renewalReason(): string | undefined {
    const { identity, selfSigned, now } = this.#surroundings;
    if (!this.#pair || !isGenerated(this.#pair.leaf)) return undefined;
    return renewalReason(this.#pair.leaf, identity(), selfSigned, now());
  }

  async #open(): Promise<void> {
    const { log } = this.#surroundings;
    try {
      await this.#pending.open();
      await this.#file.open();
    } catch (error) {
      const reason = error instanceof Error ? error.message : String(error);
      log.error('directory cannot be used', { path: this.definition.path, reason });
    }
  }

  /** What the file holds, if it can be served; a file that cannot is reported and put aside. */
  async #load(): Promise<KeyedCandidate | undefined> {
    const { log, now } = this.#surroundings;
    const { path } = this.definition;
    try {
      const text = await this.#file.read();
      if (text === undefined) return undefined;
      // What is in service stays, though it would not be accepted any more, as long as it can be served
      const upload = parseUpload(text, Number.POSITIVE_INFINITY);
      const pair = await pairWithKey(upload, this.#waitingKeys());
      enforce(this.#pairChecks(), pair);
      return pair;
    } catch (error) {
      const reason = error instanceof CertError ? `${error.code}: ${error.message}` : 'unreadable';
      log.error('stored certificate cannot be served', { path, reason });
    }
    if (this.definition.type === 'server') {
      const aside = await this.#file.putAside(new Date(now())).catch(() => 'nowhere');
      log.warn('stored file put aside', { path, to: aside });
    }
    return undefined;
  }

  /** @param isNeeded asked when its turn has come: an operator may have been faster */
  async #generate(reason: string, isNeeded: () => boolean): Promise<void> {
    const { log, identity, selfSigned, now } = this.#surroundings;
    const { path } = this.definition;
    const superseded = new CertError('already-installed', 'another certificate came first');
    try {
      await this.#change({
        ...this.#store(),
        validate: async () => {
          if (!isNeeded()) throw superseded;
          return generateCertificate(identity(), selfSigned, now());
        },
      });
      log.info('self-signed certificate generated', { path, reason });
    } catch (error) {
      if (error === superseded) return;
      const cause = error instanceof Error ? error.message : String(error);
      log.error('no self-signed certificate', { path, reason: cause });
    }
  }

  async #check(text: string): Promise<KeyedCandidate> {
    const { limits, checks, now } = this.#surroundings;
    const upload = parseUpload(text, limits.chain);
    const common = { company: upload.certificates, now: Math.floor(now() / 1000), policy: checks };
    enforce(certificateChecks, { ...common, leaf: presumedLeaf(upload) });
    const pair = await pairWithKey(upload, this.#waitingKeys());
    enforce(certificateChecks, { ...common, leaf: pair.leaf });
    enforce(this.#pairChecks(), pair);
    return pair;
  }

  #pairChecks(): readonly Check<KeyedCandidate>[] {
    return this.definition.type === 'server' ? serverChecks : pairChecks;
  }

  /** Pending requests, and the key in service: a renewal may be for either. */
  #waitingKeys(): KeySource {
    return {
      find: async (hash) => {
        const current = this.#pair;
        if (current && publicKeyHash(publicKeyInfo(current.leaf.publicKey)) === hash) {
          return current.key;
        }
        return this.#pending.find(hash);
      },
      isEmpty: () => this.#pending.isEmpty(),
    };
  }

  #store(): Pick<Change<KeyedCandidate>, 'write' | 'publish'> {
    return {
      write: (pair) => this.#file.write(pair),
      publish: (pair) => this.#publish(pair),
    };
  }

  /** A server goes from its certificate to a self-signed one in a single rename. */
  #removal(precondition: () => void): Change<KeyedCandidate | undefined> {
    const { identity, selfSigned, now } = this.#surroundings;
    return {
      validate: async () => {
        precondition();
        if (this.definition.type !== 'server') return undefined;
        return generateCertificate(identity(), selfSigned, now());
      },
      write: (successor) => (successor ? this.#file.write(successor) : this.#file.remove()),
      publish: (successor) => {
        const previous = this.#pair;
        this.#pair = undefined;
        if (previous) this.#events.emit({ kind: 'removed', installed: asInstalled(previous) });
        if (successor) this.#publish(successor);
      },
    };
  }

  #publish(pair: KeyedCandidate): void {
    const previous = this.#pair;
    const installed = asInstalled(pair);
    this.#pair = pair;
    if (previous)
      this.#events.emit({ kind: 'changed', installed, previous: asInstalled(previous) });
    else this.#events.emit({ kind: 'added', installed });
  }

  #mustExist(id: string): void {
    if (id !== onlyId || !this.#pair)
      throw new CertError('not-found', `there is no certificate ${id}`);
  }

  #notAuthority(): CertError {
    return new CertError(
      'wrong-endpoint-type',
      `a ${this.definition.type} endpoint holds one certificate, not a list of authorities`,
    );
  }
}

function asInstalled({ leaf, chain }: KeyedCandidate): InstalledCertificate {
  return { id: onlyId, certificate: leaf, chain };
}
