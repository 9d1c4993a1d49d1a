import { CertError } from '../../core/cert-error.ts';
import type { Certificate } from '../../x509/certificate.ts';
import { isCertificateBlock, type PemBlock } from '../../x509/pem.ts';
import { usualSecurityLevel } from '../../x509/security-levels.ts';
import { signatureFault } from '../checks/chain-signatures.ts';
import { authorityChecks, enforce } from '../checks/checks.ts';
import type { EndpointDependencies } from '../endpoint-dependencies.ts';
import { distinct } from '../upgrade/upstream-authorities.ts';
import { blocksOf, parseUpload, type Upload, type UploadSource } from '../upload.ts';
import type { Authority, AuthorityDirectory } from './authority-directory.ts';

/** A new set of authorities, and which of them the caller asked about. */
export interface SetPlan {
  readonly next: readonly Authority[];
  readonly asked: readonly Authority[];
}

/** What a truststore would be after each kind of change; nothing here changes anything. */
export class AuthorityPlans {
  readonly #dependencies: EndpointDependencies;
  readonly #directory: AuthorityDirectory;
  readonly #current: () => readonly Authority[];

  /** @param current the authorities in service */
  constructor(
    dependencies: EndpointDependencies,
    directory: AuthorityDirectory,
    current: () => readonly Authority[],
  ) {
    this.#dependencies = dependencies;
    this.#directory = directory;
    this.#current = current;
  }

  async install(source: UploadSource): Promise<SetPlan> {
    const current = this.#current();
    this.#refuseMoreThanLimit(current.length + 1);
    const certificate = this.#checkOne(await blocksOf(source));
    this.#refuseDuplicate(certificate);
    const authority = { id: this.#directory.nextId, certificate };
    return { next: [...current, authority], asked: [authority] };
  }

  async replace(id: string, source: UploadSource): Promise<SetPlan> {
    const previous = this.#byId(id);
    const certificate = this.#checkOne(await blocksOf(source));
    this.#refuseDuplicate(certificate, previous);
    const authority = { id: previous.id, certificate };
    const next = this.#current().map((one) => (one === previous ? authority : one));
    return { next, asked: [authority] };
  }

  async installAll(source: UploadSource): Promise<SetPlan> {
    if (this.#current().length === 0) return this.replaceAll(source);
    throw new CertError(
      'not-empty',
      'authorities are installed; replace them or delete them first',
    );
  }

  /** The whole bundle is checked before anything of it counts. What is installed keeps its id. */
  async replaceAll(source: UploadSource): Promise<SetPlan> {
    const { certificates } = this.#parseBundle(await blocksOf(source));
    const set = distinct(certificates);
    this.#check(set, set);
    const known = new Map(this.#current().map((one) => [one.certificate.fingerprint, one]));
    const fresh = this.#number(set.filter(({ fingerprint }) => !known.has(fingerprint)));
    const numbered = new Map([
      ...known,
      ...fresh.map((one) => [one.certificate.fingerprint, one] as const),
    ]);
    const find = ({ fingerprint }: Certificate) => numbered.get(fingerprint) ?? [];
    return {
      next: set.flatMap(find).sort((a, b) => a.id - b.id),
      // The reply has an entry for each block of the file, as upstream's
      asked: certificates.flatMap(find),
    };
  }

  async delete(id: string): Promise<SetPlan> {
    const gone = this.#byId(id);
    return { next: this.#current().filter((one) => one !== gone), asked: [] };
  }

  #number(certificates: readonly Certificate[]): Authority[] {
    const first = this.#directory.nextId;
    return certificates.map((certificate, at) => ({ id: first + at, certificate }));
  }

  /** Counts before it reads, so that a bundle over the limit costs nothing. */
  #parseBundle(blocks: readonly PemBlock[]): Upload {
    this.#refuseMoreThanLimit(blocks.filter(isCertificateBlock).length);
    return parseUpload(blocks, this.#dependencies.limits.authorities);
  }

  /** The file may hold more: its first certificate is what it is about, and a key is never taken. */
  #checkOne(blocks: readonly PemBlock[]): Certificate {
    const { certificates } = parseUpload(blocks, this.#dependencies.limits.chain);
    const [certificate] = certificates;
    if (!certificate) throw new TypeError('an upload has a certificate');
    this.#check([certificate], certificates);
    return certificate;
  }

  #check(certificates: readonly Certificate[], bundle: readonly Certificate[]): void {
    const { checks: policy, now } = this.#dependencies;
    const common = {
      signatureFault: signatureFault(bundle),
      now: Math.floor(now() / 1000),
      policy,
      securityLevel: usualSecurityLevel,
    };
    for (const leaf of certificates) enforce(authorityChecks, { leaf, ...common });
  }

  #refuseDuplicate({ fingerprint }: Certificate, except?: Authority): void {
    const twin = this.#current().find(
      (one) => one !== except && one.certificate.fingerprint === fingerprint,
    );
    if (!twin) return;
    throw new CertError('already-installed', `the certificate is installed as ${twin.id}`);
  }

  #refuseMoreThanLimit(count: number): void {
    const limit = this.#dependencies.limits.authorities;
    if (count <= limit) return;
    throw new CertError(
      'limit-reached',
      `${count} authorities are more than the limit of ${limit}`,
    );
  }

  #byId(id: string): Authority {
    const found = this.#current().find((one) => String(one.id) === id);
    if (!found) throw new CertError('not-found', `there is no certificate ${id}`);
    return found;
  }
}
