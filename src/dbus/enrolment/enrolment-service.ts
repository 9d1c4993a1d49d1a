import type { Audit } from '../../core/audit.ts';
import { CertError } from '../../core/cert-error.ts';
import type { Log } from '../../core/log.ts';
import { SetupError } from '../../core/setup-error.ts';
import { auditCalls } from '../certs/audit-calls.ts';
import { authorizeCaller, type CallerPolicy } from '../server/caller-policy.ts';
import { DBusError } from '../server/error-names.ts';
import { serve, signatureOf } from '../server/interface.ts';
import { ObjectServer, reportTo } from '../server/object-server.ts';
import { connectBus } from '../transport/bus.ts';
import type { Callers } from '../transport/bus-driver.ts';
import { requestName } from '../transport/bus-name.ts';
import {
  enrolmentInterface,
  enrolmentName,
  enrolmentRoot,
  type Told,
} from './enrolment-interface.ts';

/** A refusal with where it came from, as the edge has it. */
export interface LayeredError {
  readonly layer: string;
  readonly message: string;
}

/** What the agent does for callers on the bus. */
export interface ServedEnrolment {
  certificates(): Promise<Readonly<Record<string, Told>>>;
  requests(): Promise<Readonly<Record<string, Told>>>;
  authorities(): Promise<Readonly<Record<string, Told>>>;
  /** @returns `accepted` or `waiting` */
  enrol(certificate: string, operation: string, reference: string): Promise<string>;
  abort(certificate: string): Promise<void>;
  /** @returns the refusal in an error of the agent, `undefined` for any other error */
  refusalOf(error: unknown): LayeredError | undefined;
}

export interface EnrolmentServiceOptions {
  readonly busAddress: string;
  readonly callers: Callers;
  /** Who may call now. */
  readonly access: () => CallerPolicy;
  readonly enrolment: ServedEnrolment;
  readonly audit: Audit;
  readonly log: Log;
  readonly onLost: () => void;
}

export interface EnrolmentService {
  changed(certificate: string, state: string): void;
  close(): void;
}

/** Serves the agent on the bus. @throws SetupError when another agent is there */
export async function serveEnrolment(options: EnrolmentServiceOptions): Promise<EnrolmentService> {
  const { callers, access, enrolment, audit, log } = options;
  const bus = await connectBus(options.busAddress);
  bus.onLost(options.onLost);
  const server = new ObjectServer({
    bus,
    root: enrolmentRoot,
    authorize: (sender) => authorizeCaller(callers, access(), 'enrol certificates')(sender),
    follow: auditCalls(audit, callers),
    report: reportTo(log),
  });
  const served = serve(enrolmentInterface, {
    methods: {
      Certificates: () => enrolment.certificates(),
      Requests: () => enrolment.requests(),
      Authorities: () => enrolment.authorities(),
      Enrol: ({ Certificate, Operation, Reference }) =>
        enrolment.enrol(Certificate, Operation, Reference),
      Abort: ({ Certificate }) => enrolment.abort(Certificate),
    },
  });
  server.add(enrolmentRoot, [
    {
      ...served,
      async call(...about) {
        try {
          return await served.call(...about);
        } catch (error) {
          throw layered(enrolment.refusalOf(error)) ?? error;
        }
      },
    },
  ]);
  await requestName(bus, enrolmentName).catch((cause: unknown) => {
    if (cause instanceof CertError) throw cause;
    throw new SetupError('Another agent enrols certificates on this bus.', { cause });
  });
  const signature = signatureOf(enrolmentInterface.signals.Changed);
  return {
    changed: (certificate, state) =>
      bus.signal(enrolmentRoot, enrolmentInterface.name, 'Changed', signature, [
        certificate,
        state,
      ]),
    close: () => bus.close(),
  };
}

export const errorPrefix = `${enrolmentInterface.name}.Error.`;

function layered(refusal: LayeredError | undefined): DBusError | undefined {
  if (!refusal) return undefined;
  const { layer, message } = refusal;
  const name = errorPrefix + layer.slice(0, 1).toUpperCase() + layer.slice(1);
  return new DBusError({ name, text: message });
}
