import { CertError } from '../../core/cert-error.ts';
import {
  type CsrParameterName,
  type CsrParameters,
  csrParameterNames,
  csrParameters,
  type RekeyParameters,
  withAbsent,
} from '../../manager/csr/parameters.ts';
import { planRequest } from '../../manager/csr/plan.ts';
import { planRekey } from '../../manager/csr/renewal.ts';
import type { Certificate } from '../../x509/certificate.ts';
import { readHostAndPort } from '../../x509/general-names.ts';
import type { KeyAlgorithm } from '../../x509/keys.ts';
import { csrArguments, csrCreateInterface, csrInterface } from '../certs/certs-interfaces.ts';
import { errorNameOf } from '../server/error-names.ts';
import { signatureOf } from '../server/interface.ts';
import { objectManagerInterface } from '../server/standard-interfaces.ts';
import type { Bus } from '../transport/bus.ts';
import { busDaemon } from '../transport/bus-driver.ts';

/** Where phosphor-certificate-manager makes a request, and how many milliseconds it may take. */
export interface RequestPlace {
  readonly bus: Bus;
  /** Unique name of the manager. */
  readonly owner: string;
  readonly root: string;
  readonly timeout: number;
}

/**
 * A request of phosphor-certificate-manager, which answers before it has made one and announces it then.
 * @returns PEM. @throws CertError `argument-invalid`, `unsupported`, `request-failed`, `request-timeout`, `unavailable`
 */
export async function requestOfUpstream(
  { bus, owner, root, timeout }: RequestPlace,
  parameters: CsrParameters,
): Promise<string> {
  const given = upstreamArguments(parameters);
  const announced = announcedRequest(bus, owner, timeout);
  try {
    await bus.call({
      ...{ destination: owner, path: root, interface: csrCreateInterface.name },
      ...{ member: 'GenerateCSR', signature: signatureOf(csrArguments) },
      body: csrParameterNames.map((name) => given[name]),
    });
    const path = await announced.path;
    const [pem] = await bus.call({
      ...{ destination: owner, path, interface: csrInterface.name, member: 'CSR' },
    });
    return String(pem);
  } catch (error) {
    // Also where it failed it is announced, and says no more than that
    if (!errorNameOf(error)?.endsWith('.InternalFailure')) throw error;
    const message = 'the certificate manager could not make the request; its journal says why';
    throw new CertError('request-failed', message, { cause: error });
  } finally {
    announced.stop();
  }
}

/** The path of the next request that the manager announces. */
function announcedRequest(bus: Bus, owner: string, timeout: number) {
  let stop = () => {};
  const path = new Promise<string>((resolve, reject) => {
    const late = new CertError(
      'request-timeout',
      'the certificate manager made no request in time',
    );
    const timer = setTimeout(reject, timeout, late);
    const stopListening = bus.onSignal(({ sender, interface: name, member, body }) => {
      const [first, second] = body;
      if (
        sender === owner &&
        name === objectManagerInterface.name &&
        member === 'InterfacesAdded'
      ) {
        if (Object.hasOwn(Object(second), csrInterface.name)) resolve(String(first));
      } else if (sender === busDaemon.destination && member === 'NameOwnerChanged') {
        if (second === owner)
          reject(
            new CertError('unavailable', 'the certificate manager ended while it made the request'),
          );
      }
    });
    stop = () => {
      clearTimeout(timer);
      stopListening();
    };
  });
  // Where the call itself fails, nobody waits for it
  path.catch(() => undefined);
  return { path, stop: () => stop() };
}

/** In the words of OpenSSL, which are all that the manager knows. @throws CertError `argument-invalid`, `unsupported` */
function upstreamArguments(parameters: CsrParameters): CsrParameters {
  // Of its names upstream makes attributes of the subject, so none are added
  const { algorithm } = planRequest(parameters, 'client');
  if (parameters.ChallengePassword !== '') {
    const message =
      'ChallengePassword would be in the subject of the request, for everybody to read, because ' +
      'phosphor-certificate-manager writes it there';
    throw new CertError('unsupported', message);
  }
  if (algorithm.kind === 'RSA' && algorithm.bits !== 2048) {
    const message =
      'KeyBitLength is 2048 for each RSA key that phosphor-certificate-manager makes; leave it out, or ask for an EC key';
    throw new CertError('unsupported', message);
  }
  const AlternativeNames = parameters.AlternativeNames.map(
    (name) => readHostAndPort(name)?.value ?? name,
  );
  return { ...parameters, ...keyParameters(algorithm), AlternativeNames };
}

function keyParameters(algorithm: KeyAlgorithm) {
  return algorithm.kind === 'RSA'
    ? { KeyPairAlgorithm: 'RSA', KeyBitLength: BigInt(algorithm.bits), KeyCurveId: '' }
    : { KeyPairAlgorithm: 'EC', KeyBitLength: 0n, KeyCurveId: algorithm.curve };
}

/**
 * The names and usages of a certificate as parameters of a request, as far as there are any for them: of several values of
 * an attribute the first. @throws CertError `argument-invalid`
 */
export function successorParameters(
  certificate: Certificate,
  asked: RekeyParameters,
): CsrParameters {
  const { algorithm } = planRekey(certificate, asked, 'client');
  const attributes = certificate.subject.flat();
  const named = csrParameterNames.flatMap((name): [CsrParameterName, string][] => {
    const { attribute } = csrParameters[name];
    const found = attributes.find(({ type }) => type === attribute);
    return found ? [[name, found.value]] : [];
  });
  return withAbsent({
    ...Object.fromEntries(named),
    ...keyParameters(algorithm),
    AlternativeNames: certificate.alternativeNames.map(({ value }) => value),
    KeyUsage: certificate.keyUsage,
    ChallengePassword: asked.ChallengePassword,
  });
}
