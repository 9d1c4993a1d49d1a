import { validateAccountCertificatesFile } from '../../../schemas/generated/validators.js';
import { OneAtATime } from '../../durable/one-at-a-time.ts';
import { parseUpload } from '../../manager/upload.ts';
import type { Certificate } from '../../manager/x509/certificate.ts';
import { SetupError } from '../../platform/configuration.ts';
import { readState, writeState } from '../../platform/state-file.ts';
import { RedfishError } from '../messages/redfish-error.ts';

/** A certificate by which its owner is known. */
export interface AccountCertificate {
  /** Beginning of its fingerprint, so the same wherever and whenever it is added. */
  readonly id: string;
  readonly userName: string;
  readonly certificate: Certificate;
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
  readonly #turn = new OneAtATime();

  /** @throws SetupError when the file is there but not readable as what it should be */
  constructor(path: string, limits: AccountCertificateLimits) {
    this.#path = path;
    this.limits = limits;
    this.#all = read(path);
  }

  get all(): readonly AccountCertificate[] {
    return this.#all;
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
   * @throws RedfishError 409 when some account has it, 400 when this one has too many, 404
   */
  add(
    userName: string,
    certificate: Certificate,
    isThere: () => Promise<boolean>,
  ): Promise<AccountCertificate> {
    return this.#turn.run(async () => {
      if (!(await isThere())) {
        throw new RedfishError(404, { id: 'ResourceNotFound', args: ['ManagerAccount', userName] });
      }
      if (this.ownerOf(certificate) !== undefined) {
        const args = ['Certificate', 'CertificateString', 'as submitted'];
        const detail = 'A certificate belongs to one account only';
        throw new RedfishError(409, { id: 'ResourceAlreadyExists', args, detail });
      }
      if (this.of(userName).length >= this.limits.perAccount) {
        const detail = `An account has no more than ${this.limits.perAccount} certificates`;
        throw new RedfishError(400, { id: 'CreateLimitReachedForResource', args: [], detail });
      }
      const added = entry(userName, certificate);
      await this.#write([...this.#all, added]);
      return added;
    });
  }

  /** @returns what is gone */
  remove(isGone: (one: AccountCertificate) => boolean): Promise<readonly AccountCertificate[]> {
    return this.#turn.run(async () => {
      const gone = this.#all.filter(isGone);
      if (gone.length > 0) await this.#write(this.#all.filter((one) => !gone.includes(one)));
      return gone;
    });
  }

  /** Takes all of them; nobody is known by one from this moment on. `store` takes them from the file. */
  clear(): void {
    this.#all = [];
    // One that is being added right now brings back what was there
    void this.#turn.run(async () => {
      this.#all = [];
    });
  }

  /** Writes the file as it should be. */
  store(): Promise<void> {
    return this.#turn.run(() => this.#write(this.#all));
  }

  async #write(all: readonly AccountCertificate[]): Promise<void> {
    const certificates = all.map(({ userName, certificate: { pem } }) => ({ userName, pem }));
    await writeState(this.#path, { certificates });
    this.#all = all;
  }
}

function entry(userName: string, certificate: Certificate): AccountCertificate {
  return { id: certificate.fingerprint.slice(0, 32).toLowerCase(), userName, certificate };
}

const form = { what: 'certificates of accounts', validator: validateAccountCertificatesFile };

function read(path: string): readonly AccountCertificate[] {
  const stored = readState(path, form)?.certificates ?? [];
  try {
    return stored.flatMap(({ userName, pem }) =>
      parseUpload(pem, 1).certificates.map((certificate) => entry(userName, certificate)),
    );
  } catch (cause) {
    throw new SetupError(`The file ${path} does not hold ${form.what}.`, { cause });
  }
}
