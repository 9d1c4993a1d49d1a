import { validateAccountCertificatesFile } from '../../../schemas/generated/validators.js';
import { CertError, reasonOf } from '../../core/cert-error.ts';
import type { Log } from '../../core/log.ts';
import { Mutex } from '../../core/mutex.ts';
import { readState, writeState } from '../../storage/state-file.ts';
import { type Certificate, readCertificate } from '../../x509/certificate.ts';
import type { ContentLimits } from '../../x509/limits.ts';
import { parsePem } from '../../x509/pem.ts';
import { IdentityError } from '../identity-error.ts';

/** What is kept for an account: PEM, which may be none that can be read now. By such a text no user is known. */
export interface Owned {
  readonly userName: string;
  readonly pem: string;
}

/** A certificate by which its owner is known. */
export interface AccountCertificate extends Owned {
  /** Beginning of its fingerprint, so the same wherever and whenever it is added. */
  readonly id: string;
  readonly certificate: Certificate;
}

export interface AccountCertificateLimits {
  /** The most certificates of one account. */
  readonly perAccount: number;
  /** The largest upload, in bytes. */
  readonly accountCertificateBytes: number;
  readonly content: ContentLimits;
}

/** Which certificate is whose, in a file of its owner alone. A certificate is of one account at most. */
export class AccountCertificates {
  readonly limits: AccountCertificateLimits;
  readonly #path: string;
  #kept: readonly (Owned | AccountCertificate)[];
  readonly #turn = new Mutex();

  /** @throws SetupError when the file is there but does not hold a list of certificates */
  constructor(path: string, limits: AccountCertificateLimits, log?: Log) {
    this.#path = path;
    this.limits = limits;
    const stored = readState(path, form)?.certificates ?? [];
    this.#kept = stored.map((one) => this.#readStored(one, log));
  }

  get all(): readonly AccountCertificate[] {
    return this.#kept.filter(isRead);
  }

  /** All that is kept, with what cannot be read now. */
  get kept(): readonly Owned[] {
    return this.#kept;
  }

  of(userName: string): readonly AccountCertificate[] {
    return this.all.filter((one) => one.userName === userName);
  }

  /** The name of whose it is, by the SHA-256 of the whole certificate. */
  ownerOf({ fingerprint }: Certificate): string | undefined {
    return this.all.find(({ certificate }) => certificate.fingerprint === fingerprint)?.userName;
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
      await this.#write([...this.#kept, added]);
      return added;
    });
  }

  remove(isGone: (one: Owned) => boolean): Promise<void> {
    return this.#turn.run(async () => {
      if (!this.kept.some(isGone)) return;
      await this.#write(this.#kept.filter((one) => !isGone(one)));
    });
  }

  /** As `remove`, but no user is known by them from this moment on. @throws what the disk throws */
  async forget(isGone: (one: Owned) => boolean): Promise<void> {
    if (!this.#kept.some(isGone)) return;
    const apply = () => {
      this.#kept = this.#kept.filter((one) => !isGone(one));
    };
    apply();
    // What is being written right now brings them back
    await this.#turn.run(async () => {
      apply();
      await this.#write(this.#kept);
    });
  }

  /** Gives what a user has to the name that the user has now, from this moment on. @throws what the disk throws */
  rename(from: string, to: string): Promise<void> {
    const apply = () => {
      this.#kept = this.#kept.map((one) =>
        one.userName === from ? { ...one, userName: to } : one,
      );
    };
    const isConcerned = this.kept.some(({ userName }) => userName === from || userName === to);
    apply();
    // What is being written right now brings the old name back
    return this.#turn.run(async () => {
      apply();
      if (isConcerned) await this.#write(this.#kept);
    });
  }

  /** Takes all of them; no user is known by one from this moment on. `store` takes them from the file. */
  clear(): void {
    this.#kept = [];
    // What is being added right now brings back what was there
    void this.#turn.run(async () => {
      this.#kept = [];
    });
  }

  /** Writes the file as it should be. */
  store(): Promise<void> {
    return this.#turn.run(() => this.#write(this.#kept));
  }

  /** A text that cannot be read stays as it is: it must not keep other users out. */
  #readStored({ userName, pem }: Owned, log: Log | undefined): Owned {
    const { content } = this.limits;
    try {
      const [block, ...others] = parsePem(pem, content);
      if (block?.label === 'CERTIFICATE' && others.length === 0)
        return entry(userName, readCertificate(block.der, content));
      throw new CertError('no-certificate', 'the text is not one PEM certificate');
    } catch (error) {
      const fields = { path: this.#path, user: userName, reason: reasonOf(error) };
      log?.error('certificate of an account cannot be read, so no user is known by it', fields);
      return { userName, pem };
    }
  }

  async #write(kept: readonly Owned[]): Promise<void> {
    const certificates = kept.map(({ userName, pem }) => ({ userName, pem }));
    await writeState(this.#path, { certificates });
    this.#kept = kept;
  }
}

function entry(userName: string, certificate: Certificate): AccountCertificate {
  const id = certificate.fingerprint.slice(0, 32).toLowerCase();
  return { id, userName, pem: certificate.pem, certificate };
}

function isRead(one: Owned | AccountCertificate): one is AccountCertificate {
  return 'certificate' in one;
}

const form = { what: 'certificates of accounts', validator: validateAccountCertificatesFile };
