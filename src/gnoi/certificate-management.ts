import { create } from '@bufbuild/protobuf';
import {
  CertificateManagement,
  CertificateType,
  Endpoint_Type,
  type InstallCertificateRequest,
  LoadCertificateResponseSchema,
  type RotateCertificateRequest,
} from '../../schemas/generated/gnoi/cert_pb.js';
import { CertError } from '../core/cert-error.ts';
import type { CertificateStore, HeldCertificate } from './certificate-store.ts';
import { isId } from './certificates/certificate-id.ts';
import { canGenerate } from './certificates/request-parameters.ts';
import type { Caller } from './rpc/caller.ts';
import type { MessageStream } from './rpc/message-stream.ts';
import { type RegisterOptions, serveStream, serveUnary } from './rpc/register.ts';
import { StatusError, statusOf } from './rpc/status.ts';
import {
  type StepMessage,
  type StepOptions,
  type StepReply,
  StepStream,
} from './steps/step-stream.ts';

export interface ManagementOptions {
  readonly store: CertificateStore;
  readonly steps: StepOptions;
}

const { method } = CertificateManagement;

/** Serves `gnoi.certificate.CertificateManagement`. */
export function serveCertificateManagement(rpc: RegisterOptions, options: ManagementOptions): void {
  const { store, steps } = options;
  serveStream(rpc, method.install, 'ConfigureManager', (stream, caller, stillMay) => {
    const own = translated(stream, installMessage, (reply) => ({
      installResponse: replyOf(reply),
    }));
    new StepStream(own, { ...caller, stillMay }, 'install', steps).run();
  });
  serveStream(rpc, method.rotate, 'ConfigureManager', (stream, caller, stillMay) => {
    const own = translated(stream, rotateMessage, (reply) => ({ rotateResponse: replyOf(reply) }));
    new StepStream(own, { ...caller, stillMay }, 'rotate', steps).run();
  });
  serveSingleChanges(rpc, options);
  serveUnary(rpc, method.getCertificates, 'Login', async () => ({
    certificateInfo: store.certificates().map(infoOf),
  }));
  serveUnary(rpc, method.canGenerateCSR, 'Login', async (request) => ({
    canGenerate: canGenerate(request),
  }));
}

/** The changes that take one request and one answer. */
function serveSingleChanges(rpc: RegisterOptions, { store, steps }: ManagementOptions): void {
  const { work, claims, parking, audited } = steps;
  /** A change without a stream, to which the same claims and the same audit belong. */
  const change = <T>(caller: Caller, call: string, id: string, make: () => Promise<T>) =>
    audited(caller, { call, step: call, id }, async () => {
      const release = claims.claim(id);
      try {
        return await make();
      } finally {
        release();
      }
    });

  serveUnary(rpc, method.generateCSR, 'ConfigureManager', ({ certificateId, csrParams }, caller) =>
    change(caller, 'GenerateCSR', certificateId, async () => {
      const pem = await work.request(certificateId, csrParams, 'any');
      parking.parkKey(caller.userName, certificateId);
      return { csr: requestOf(pem) };
    }),
  );
  serveUnary(rpc, method.loadCertificate, 'ConfigureManager', (request, caller) =>
    change(caller, 'LoadCertificate', request.certificateId, async () => {
      const load = work.read(request);
      const { id, key } = load;
      if (key === undefined && !parking.of(caller.userName).keys.includes(id))
        throw new StatusError('FAILED_PRECONDITION', `no key of ${id} waits for a certificate`);
      await work.load(load, 'any');
      if (key === undefined) parking.takeKey(id);
      return {};
    }),
  );
  serveUnary(
    rpc,
    method.loadCertificateAuthorityBundle,
    'ConfigureManager',
    ({ caCertificates }, caller) =>
      audited(
        caller,
        { call: 'LoadCertificateAuthorityBundle', step: 'load', id: '' },
        async () => {
          await work.loadBundle(caCertificates);
          return {};
        },
      ),
  );
  serveUnary(rpc, method.revokeCertificates, 'ConfigureManager', async (request, caller) => {
    const revokedCertificateId: string[] = [];
    const certificateRevocationError: { certificateId: string; errorMessage: string }[] = [];
    for (const id of new Set(request.certificateId)) {
      try {
        await change(caller, 'RevokeCertificates', id, () => revoke(store, id));
        revokedCertificateId.push(id);
      } catch (error) {
        const errorMessage = statusOf(error).message;
        certificateRevocationError.push({ certificateId: id, errorMessage });
      }
    }
    return { revokedCertificateId, certificateRevocationError };
  });
}

/** A certificate that is not there is revoked. */
async function revoke(store: CertificateStore, id: string): Promise<void> {
  if (!isId(id)) return;
  await store.remove(id).catch((error: unknown) => {
    if (!(error instanceof CertError && error.code === 'not-found')) throw error;
  });
}

function infoOf({ id, certificate, chain, modified, services }: HeldCertificate) {
  const text = [certificate, ...chain].map(({ pem }) => pem).join('');
  return {
    certificateId: id,
    certificate: { type: CertificateType.CT_X509, certificate: Buffer.from(text) },
    endpoints: services.map((endpoint) => ({ type: Endpoint_Type.EP_DAEMON, endpoint })),
    modificationTime: modified,
  };
}

function requestOf(pem: string) {
  return { type: CertificateType.CT_X509, csr: Buffer.from(pem) };
}

/** The member of an answer, which both operations have under the same names. */
function replyOf(reply: StepReply) {
  return reply.kind === 'request'
    ? { case: 'generatedCsr' as const, value: { csr: requestOf(reply.pem) } }
    : { case: 'loadCertificate' as const, value: create(LoadCertificateResponseSchema) };
}

function installMessage({ installRequest }: InstallCertificateRequest): StepMessage {
  switch (installRequest.case) {
    case 'generateCsr': {
      const { certificateId: id, csrParams: params } = installRequest.value;
      return { kind: 'generate', id, params };
    }
    case 'loadCertificate':
      return { kind: 'load', request: installRequest.value };
    case undefined:
      return { kind: 'empty' };
  }
}

function rotateMessage({ rotateRequest }: RotateCertificateRequest): StepMessage {
  switch (rotateRequest.case) {
    case 'generateCsr': {
      const { certificateId: id, csrParams: params } = rotateRequest.value;
      return { kind: 'generate', id, params };
    }
    case 'loadCertificate':
      return { kind: 'load', request: rotateRequest.value };
    case 'finalizeRotation':
      return { kind: 'finalize' };
    case undefined:
      return { kind: 'empty' };
  }
}

function translated<I, O>(
  stream: MessageStream<I, O>,
  read: (message: I) => StepMessage,
  write: (reply: StepReply) => O,
): MessageStream<StepMessage, StepReply> {
  return {
    onInput: (listener) =>
      stream.onInput((input) =>
        listener(
          input.kind === 'message' ? { kind: 'message', message: read(input.message) } : input,
        ),
      ),
    send: (reply) => stream.send(write(reply)),
    end: (status) => stream.end(status),
  };
}
