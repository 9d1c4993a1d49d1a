import type { Log } from '../../core/log.ts';
import type { Certificate } from '../../x509/certificate.ts';
import type { ClientTrust } from './client-trust.ts';
import { adviceFor, type Readiness, readinessOf } from './readiness.ts';
import type { ShownCertificate } from './shown-certificate.ts';

/** How the service stands. */
export interface Standing {
  readonly readiness: Readiness;
  /** What is the matter and what to do; empty for a service that is ready. */
  readonly advice: string;
  /** The CAs that verify clients. */
  readonly authorities: readonly Certificate[];
  /** Names of authorities that are not there. */
  readonly missing: readonly string[];
}

export interface StandingOptions {
  readonly shown: ShownCertificate;
  readonly trust: ClientTrust;
  /** Of those that the manager writes files for. */
  readonly service: string;
  /** Names of the authorities that verify clients. */
  readonly authorities: () => readonly string[];
  /** Milliseconds since 1970. */
  readonly now: () => number;
  /** Learns that the service has become ready, or not ready, or for another reason. */
  readonly onOther: () => void;
  readonly log: Log;
}

/** Whether clients can come in, and what keeps them out. */
export interface StandingWatch {
  current(): Standing;
  /** The same; another one than before is told and logged. */
  look(): Standing;
}

export function watchStanding(options: StandingOptions): StandingWatch {
  const { shown, trust, service, authorities, now, onOther, log } = options;
  const current = (): Standing => {
    const certificate = shown.current();
    const lists = trust.lists();
    const input = { certificate, trust: lists, now: Math.floor(now() / 1000) };
    const readiness = readinessOf(input);
    const about = { service, authorities: authorities(), fault: shown.identity.fault };
    const missing = trust.missing();
    return {
      ...{ readiness, missing, advice: adviceFor(readiness, about) },
      authorities: lists?.trusted ?? [],
    };
  };
  let told: Readiness | undefined;
  return {
    current,
    look() {
      const found = current();
      const { readiness, advice } = found;
      if (readiness === told) return found;
      told = readiness;
      if (readiness === 'ready') log.info('clients can come in');
      else log.warn('every connection is closed', { reason: readiness, advice });
      onOther();
      return found;
    },
  };
}
