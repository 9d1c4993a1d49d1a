import { CertError } from '../core/cert-error.ts';
import { type Asn1, bytesOf, encode, oid, tags, universalTag } from './der.ts';
import { contentLimits } from './limits.ts';

/** Compared as bytes: what is no identifier at all is none of this one. */
const scrypt = encode(oid('1.3.6.1.4.1.11591.4.11'));

/** How much work passwords may make: an attacker chooses the keys and the rounds in what he uploads. */
export class RoundBudget {
  readonly #most: number;
  #left: number;
  readonly #maxKeys = contentLimits().keyDerivations;
  #keys = 0;

  /** @param most rounds of key derivation for a whole upload */
  constructor(most: number) {
    this.#most = most;
    this.#left = most;
  }

  /**
   * Counts what the parameters of one encryption, or of a MAC, ask for; each costs something without rounds too.
   * @throws CertError `container-malformed`
   */
  spend(node: Asn1 | undefined): void {
    this.#keys += 1;
    if (this.#keys > this.#maxKeys) {
      throw new CertError(
        'container-malformed',
        `it wants more than ${this.#maxKeys} keys derived from the password`,
      );
    }
    this.#spendRounds(node);
  }

  #spendRounds(node: Asn1 | undefined): void {
    const children = node && Array.isArray(node.value) ? node.value : [];
    const [first] = children;
    if (first && universalTag(first) === tags.OBJECT_IDENTIFIER && encode(first).equals(scrypt)) {
      this.#pay(scryptCost(children[1]));
      return;
    }
    for (const [at, child] of children.entries()) {
      // In every scheme of PKCS #5 and #12, and in the MAC, the number of rounds follows the salt
      const follows = universalTag(children[at - 1]) === tags.OCTET_STRING;
      if (follows && universalTag(child) === tags.INTEGER) this.#pay(numberOf(child));
      this.#spendRounds(child);
    }
  }

  #pay(rounds: number): void {
    this.#left -= rounds;
    if (this.#left >= 0) return;
    throw new CertError(
      'container-malformed',
      `it wants more than ${this.#most} rounds of key derivation`,
    );
  }
}

/** RFC 7914 §7: salt, N, r, p; a round of it costs as much as some of the others. */
function scryptCost(parameters: Asn1 | undefined): number {
  const fields = parameters && Array.isArray(parameters.value) ? parameters.value : [];
  return fields.slice(1, 4).reduce((product, field) => product * numberOf(field), 1);
}

/** What is no number may be any, and is more than there is. */
function numberOf(integer: Asn1): number {
  if (Array.isArray(integer.value)) return Number.POSITIVE_INFINITY;
  return Number.parseInt(bytesOf(integer).toString('hex') || '0', 16);
}
