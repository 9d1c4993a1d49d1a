import { validateAccountCertificatesFile } from '../../../schemas/generated/validators.js';
import { CertError, reasonOf } from '../../core/cert-error.ts';
import type { Log } from '../../core/log.ts';
import { Mutex } from '../../core/mutex.ts';
import { readState, writeState } from '../../storage/state-file.ts';
import { type Certificate, readCertificate } from '../../x509/certificate.ts';
import { parsePem } from '../../x509/pem.ts';
import { IdentityError } from '../identity-error.ts';

/** What is kept for an account. */
export interface Owned {
  readonly userName: string;
}

/** A certificate by which its owner is known. */
export interface AccountCertificate extends Owned {
  /** Beginning of its fingerprint, so the same wherever and whenever it is added. */
  readonly id: string;
  readonly certificate: Certificate;
}

/** What stands in the file for a certificate and cannot be read as one now: nobody is known by it. */
interface Unread extends Owned {
  readonly pem: string;
}

export interface AccountCertificateLimits {
  /** The most certificates of one account. */
  readonly perAccount: number;
  /** The largest upload, in bytes. */
  readonly accountCertificateBytes: number;
}

/** Which certificate is whose, in a file of its owner alone. A certificate is of one account at most. */
export class AccountCertificates {
  readonly limits: AccountCertificateLimits;
  readonly #path: string;
  #all: readonly AccountCertificate[];
  /** Limits of what is read may have been others once, and may be again. */
  #unread: readonly Unread[];
  readonly #turn = new Mutex();

  /** @throws SetupError when the file is there but does not hold a list of certificates */
  constructor(path: string, limits: AccountCertificateLimits, log?: Log) {
    this.#path = path;
    this.limits = limits;
    const { all, unread } = read(path, log);
    this.#all = all;
    this.#unread = unread;
  }

  get all(): readonly AccountCertificate[] {
    return this.#all;
  }

  /** All that is kept, with what cannot be read now. */
  get kept(): readonly Owned[] {
    return [...this.#all, ...this.#unread];
  }

  of(userName: string): readonly AccountCertificate[] {
    return this.#all.filter((one) => one.userName === userName);
  }

  /** The name of whose it is, by the SHA-256 of the whole certificate. */
  ownerOf({ fingerprint }: Certificate): string | undefined {
    return this.#all.find(({ certificate }) => certificate.fingerprint === fingerprint)?.userName;
  }

  /**
   * @param isThere whether the account is, when the turn of the change has come
   * @throws IdentityError `certificate-taken`, `certificate-limit`, `not-found`
   */
  add(
    userName: string,
    certificate: Certificate,
    isThere: () => Promise<boolean>,
  ): Promise<AccountCertificate> {
    return this.#turn.run(async () => {
      if (!(await isThere())) throw new IdentityError('not-found', userName);
      if (this.ownerOf(certificate) !== undefined) {
        const message = 'A certificate belongs to one account only';
        throw new IdentityError('certificate-taken', userName, message);
      }
      if (this.of(userName).length >= this.limits.perAccount) {
        const message = `An account has no more than ${this.limits.perAccount} certificates`;
        throw new IdentityError('certificate-limit', userName, message);
      }
      const added = entry(userName, certificate);
      await this.#write([...this.#all, added], this.#unread);
      return added;
    });
  }

  /** @returns the certificates that are gone */
  remove(isGone: (one: Owned) => boolean): Promise<readonly AccountCertificate[]> {
    return this.#turn.run(async () => {
      if (!this.kept.some(isGone)) return [];
      const gone = this.#all.filter(isGone);
      const rest = this.#all.filter((one) => !gone.includes(one));
      await this.#write(
        rest,
        this.#unread.filter((one) => !isGone(one)),
      );
      return gone;
    });
  }

  /** Gives what a user has to the name that he has now, from this moment on. @throws what the disk throws */
  rename(from: string, to: string): Promise<void> {
    const renamed = <T extends Owned>(all: readonly T[]) =>
      all.map((one) => (one.userName === from ? { ...one, userName: to } : one));
    const apply = () => {
      this.#all = renamed(this.#all);
      this.#unread = renamed(this.#unread);
    };
    const isConcerned = this.kept.some(({ userName }) => userName === from || userName === to);
    apply();
    // What is being written right now brings the old name back
    return this.#turn.run(async () => {
      apply();
      if (isConcerned) await this.#write(this.#all, this.#unread);
    });
  }

  /** Takes all of them; nobody is known by one from this moment on. `store` takes them from the file. */
  clear(): void {
    this.#all = [];
    this.#unread = [];
    // One that is being added right now brings back what was there
    void this.#turn.run(async () => {
      this.#all = [];
      this.#unread = [];
    });
  }

  /** Writes the file as it should be. */
  store(): Promise<void> {
    return this.#turn.run(() => this.#write(this.#all, this.#unread));
  }

  async #write(all: readonly AccountCertificate[], unread: readonly Unread[]): Promise<void> {
    const read = all.map(({ userName, certificate: { pem } }) => ({ userName, pem }));
    await writeState(this.#path, { certificates: [...read, ...unread] });
    this.#all = all;
    this.#unread = unread;
  }
}

function entry(userName: string, certificate: Certificate): AccountCertificate {
  return { id: certificate.fingerprint.slice(0, 32).toLowerCase(), userName, certificate };
}

const form = { what: 'certificates of accounts', validator: validateAccountCertificatesFile };

/** One that cannot be read is left out and stays in the file: it must not keep everybody else out. */
function read(path: string, log: Log | undefined) {
  const all: AccountCertificate[] = [];
  const unread: Unread[] = [];
  for (const { userName, pem } of readState(path, form)?.certificates ?? []) {
    try {
      all.push(entry(userName, readStored(pem)));
    } catch (error) {
      unread.push({ userName, pem });
      const fields = { path, user: userName, reason: reasonOf(error) };
      log?.error('certificate of an account cannot be read, so nobody is known by it', fields);
    }
  }
  return { all, unread };
}

/** @throws CertError */
function readStored(pem: string): Certificate {
  const [block, ...others] = parsePem(pem);
  if (block?.label === 'CERTIFICATE' && others.length === 0) return readCertificate(block.der);
  throw new CertError('no-certificate', 'the text is not one PEM certificate');
}
