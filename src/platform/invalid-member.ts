import { SetupError } from '../core/setup-error.ts';

/** A member of the configuration is not what it must be, for a reason that its schema does not know. */
export class InvalidMember extends SetupError {
  /** JSON pointer. */
  readonly path: string;
  readonly fault: string;

  /** @param fault as the end of a sentence that begins with the member */
  constructor(path: string, fault: string) {
    super(`The configuration is not valid: ${path} ${fault}.`);
    this.path = path;
    this.fault = fault;
  }
}
