import dbus from 'dbus-next';
import { CertError } from '../../core/cert-error.ts';
import { fromErrorReply } from '../server/error-names.ts';
import { forgetCall } from './library-defects.ts';

/** The calls that wait for their replies. The library gives none of them up by itself, whatever becomes of the bus. */
export class PendingCalls {
  readonly #library: dbus.MessageBus;
  readonly #failures = new Set<(error: CertError) => void>();

  constructor(library: dbus.MessageBus) {
    this.#library = library;
  }

  /** @returns the reply. @throws CertError made from the error reply, `no-answer`, `unavailable` */
  send(message: dbus.Message, timeout: number): Promise<dbus.Message> {
    return new Promise((resolve, reject) => {
      const fail = (error: CertError) => {
        clearTimeout(timer);
        this.#failures.delete(fail);
        reject(error);
      };
      const timer = setTimeout(() => {
        forgetCall(this.#library, message.serial);
        fail(new CertError('no-answer', `no answer within ${Math.round(timeout / 1000)} s`));
      }, timeout);
      this.#failures.add(fail);
      this.#library.call(message).then(
        (reply) => {
          clearTimeout(timer);
          this.#failures.delete(fail);
          if (reply) resolve(reply);
          else reject(disconnected());
        },
        (error: unknown) => fail(asCertError(error)),
      );
    });
  }

  /** No reply will come any more. */
  end(): void {
    for (const fail of [...this.#failures]) fail(disconnected());
  }
}

function asCertError(error: unknown): CertError {
  if (error instanceof dbus.DBusError) {
    return fromErrorReply({ name: error.type, text: String(error.text) });
  }
  if (/stream/.test(String(error))) return disconnected();
  return new CertError('internal', 'the call could not be encoded', { cause: error });
}

export function disconnected(): CertError {
  return new CertError('unavailable', 'the connection to the D-Bus is lost');
}
