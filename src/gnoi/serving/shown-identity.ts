import type { Credential } from '../../tls/credential.ts';
import {
  type IdentityOptions,
  openServerIdentity,
  type ServerIdentity,
} from '../../tls/server-identity.ts';

export interface ShownIdentityOptions extends Omit<IdentityOptions, 'copyPath' | 'makeSelfSigned'> {
  /** What is shown while there is no file, as before a service is bound, and after its certificate was revoked. */
  readonly fallback: ServerIdentity;
}

/** What the service shows: the file that the manager writes for it, or else its fallback, as that is now. */
export async function openShownIdentity({
  fallback,
  ...options
}: ShownIdentityOptions): Promise<ServerIdentity> {
  const borrowed = new WeakSet<Credential>();
  const file = await openServerIdentity({
    ...options,
    makeSelfSigned() {
      borrowed.add(fallback.credential);
      return fallback.credential;
    },
    patienceMilliseconds: 0,
  });
  const inUse = () => (borrowed.has(file.credential) ? fallback : file);
  return {
    get credential() {
      return inUse().credential;
    },
    get fault() {
      return inUse().fault;
    },
    get since() {
      return inUse().since;
    },
    get isBehind() {
      return file.isBehind || fallback.isBehind;
    },
    refresh() {
      const waits = [file.refresh(), fallback.refresh()].filter((one) => one !== undefined);
      return waits.length === 0 ? undefined : Promise.all(waits).then(() => undefined);
    },
    onChange(listener) {
      const stops = [file.onChange(listener), fallback.onChange(listener)];
      return () => {
        for (const stop of stops) stop();
      };
    },
    close: () => file.close(),
  };
}
