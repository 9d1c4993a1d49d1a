import { CertError } from '../../core/cert-error.ts';
import { errorNameOf } from '../server/error-names.ts';
import { signatureOf } from '../server/interface.ts';
import { connectBus } from '../transport/bus.ts';
import {
  enrolmentInterface,
  enrolmentName,
  enrolmentRoot,
  type Told,
} from './enrolment-interface.ts';
import { errorPrefix } from './enrolment-service.ts';

/** Where an enrolment failed, and why. */
export class EnrolmentRefusal extends Error {
  override readonly name = 'EnrolmentRefusal';
  readonly layer: string;

  constructor(layer: string, message: string) {
    super(message);
    this.layer = layer;
  }
}

/**
 * What an operator asks of the agent for CMP. Rejections are EnrolmentRefusals, and CertErrors `unavailable`, `no-answer` and
 * `access-denied` where the agent does not answer, or not this user.
 */
export interface EnrolmentAdministration {
  certificates(): Promise<Readonly<Record<string, Told>>>;
  requests(): Promise<Readonly<Record<string, Told>>>;
  authorities(): Promise<Readonly<Record<string, Told>>>;
  enrol(certificate: string, operation: string, reference: string): Promise<string>;
  abort(certificate: string): Promise<void>;
  close(): void;
}

/** A CA may take its time, and a service to be reloaded its own. */
const enrolMilliseconds = 700_000;

/** @throws CertError `unavailable` */
export async function administerEnrolment(busAddress: string): Promise<EnrolmentAdministration> {
  const bus = await connectBus(busAddress);
  const call = async (
    member: keyof typeof enrolmentInterface.methods,
    ...body: readonly unknown[]
  ): Promise<unknown> => {
    const signature = signatureOf(enrolmentInterface.methods[member].in);
    const method = { path: enrolmentRoot, interface: enrolmentInterface.name, member, signature };
    const timeout = member === 'Enrol' ? { timeout: enrolMilliseconds } : {};
    try {
      const [result] = await bus.call({ destination: enrolmentName, ...method, body, ...timeout });
      return result;
    } catch (error) {
      const name = errorNameOf(error) ?? '';
      if (error instanceof Error && name.startsWith(errorPrefix))
        throw new EnrolmentRefusal(name.slice(errorPrefix.length).toLowerCase(), error.message);
      if (error instanceof CertError && error.code === 'unavailable')
        throw new CertError('unavailable', 'the agent for CMP does not run', { cause: error });
      throw error;
    }
  };
  const all = async (member: 'Certificates' | 'Requests' | 'Authorities') =>
    (await call(member)) as Readonly<Record<string, Told>>;
  return {
    certificates: () => all('Certificates'),
    requests: () => all('Requests'),
    authorities: () => all('Authorities'),
    enrol: async (...request) => String(await call('Enrol', ...request)),
    async abort(certificate) {
      await call('Abort', certificate);
    },
    close: () => bus.close(),
  };
}
