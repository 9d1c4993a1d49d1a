import { createPrivateKey, X509Certificate } from 'node:crypto';
import {
  appendFileSync,
  chmodSync,
  copyFileSync,
  existsSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import {
  certificateInterface,
  csrCreateInterface,
  csrInterface,
  deleteAllInterface,
  deleteInterface,
  installAllInterface,
  installInterface,
  replaceAllInterface,
  replaceInterface,
} from '../../src/dbus/certs/certs-interfaces.ts';
import { busName, rootPath } from '../../src/dbus/certs/endpoint-names.ts';
import { DBusError } from '../../src/dbus/server/error-names.ts';
import { type ServedInterface, serve } from '../../src/dbus/server/interface.ts';
import { ObjectServer } from '../../src/dbus/server/object-server.ts';
import { connectBus } from '../../src/dbus/transport/bus.ts';
import { requestName } from '../../src/dbus/transport/bus-name.ts';
import type { EndpointRef } from '../../src/manager/certificate-client.ts';
import {
  type CsrParameterName,
  type CsrParameters,
  csrParameterNames,
  csrParameters,
} from '../../src/manager/csr/parameters.ts';
import { type Certificate, readCertificate } from '../../src/x509/certificate.ts';
import { makeRequest } from '../../src/x509/certification-request.ts';
import { curveNames, exportPrivateKey, generateKey } from '../../src/x509/keys.ts';
import { formatName, type NewAttribute } from '../../src/x509/name.ts';
import type { PrivateBus } from './private-bus.ts';

/** A file that it was told to read. */
export interface GivenFile {
  readonly path: string;
  readonly mode: number;
  readonly text: string;
}

/** phosphor-certificate-manager as it was observed: its interfaces, its order of checks, and its words for what is wrong. */
export interface UpstreamManager {
  /** In the order in which they were given, whatever became of them. */
  readonly given: readonly GivenFile[];
  /** What it was asked to make requests of. */
  readonly requests: readonly CsrParameters[];
  /** The file of a server or client. */
  readonly path: string;
  /** Without systemd it makes each change and says that it failed. */
  hasSystemd: boolean;
  /** While it is set, requests are begun and not made. */
  holdsRequests: boolean;
  /** A curve that its worker does not know. */
  refusedCurve: string;
  /** Ends it as a crash does. */
  stop(): void;
}

const failed = upstreamError('Common.Error.InternalFailure', 'The operation failed internally.');
const notAllowed = upstreamError('Common.Error.NotAllowed', 'The operation is not allowed');
const invalid = upstreamError('Certs.Error.InvalidCertificate', 'Invalid certificate file.');

function upstreamError(name: string, text: string): () => DBusError {
  return () => new DBusError({ name: `xyz.openbmc_project.${name}`, text });
}

const maxAuthorities = 10;

/**
 * Takes the name of an endpoint on the bus. Its directory goes with that of the bus.
 * @param file of a server or client, in place of one of its own; what is in it is installed
 */
export async function startUpstreamManager(
  { address, directory: below }: Pick<PrivateBus, 'address' | 'directory'>,
  endpoint: EndpointRef,
  file?: string,
): Promise<UpstreamManager> {
  const bus = await connectBus(address);
  const root = rootPath(endpoint);
  const isAuthority = endpoint.type === 'authority';
  const directory = mkdtempSync(join(below, 'upstream-'));
  const own = file ?? join(directory, 'cert.pem');
  const lastKey = join(directory, 'privkey.pem');
  const csrPath = `${root}/csr`;
  const given: GivenFile[] = [];
  const requests: CsrParameters[] = [];
  const installed = new Map<string, Certificate>();
  let counter = 1;
  let making = false;
  let isMade = false;

  const manager = {
    ...{ given, requests, path: own },
    hasSystemd: true,
    holdsRequests: false,
    refusedCurve: 'none',
    stop: () => bus.close(),
  };

  const note = (path: string) => {
    if (!existsSync(path)) return;
    given.push({ path, mode: statSync(path).mode & 0o777, text: readFileSync(path, 'utf8') });
  };

  /** Only where there is another certificate is a file read before it is judged, and then in other words. */
  const refuseKnown = (path: string, others: readonly Certificate[]) => {
    if (others.length === 0) return;
    const found = firstCertificate(path, failed);
    if (others.some((one) => isSame(one, found))) throw notAllowed();
  };

  /** The checks of Certificate.install (contract §8), and the copy. */
  const admit = (path: string): Certificate => {
    if (!existsSync(path) || !statSync(path).isFile()) throw failed();
    if (statSync(path).size === 0) throw invalid();
    const certificate = firstCertificate(path, invalid);
    const { modulusLength = 4096 } = certificate.publicKey.asymmetricKeyDetails ?? {};
    if (certificate.notBefore < 0 || modulusLength < 2048) throw invalid();
    if (isAuthority) return certificate;
    if (!/BEGIN (?:RSA |EC )?PRIVATE KEY/.test(readFileSync(path, 'utf8'))) {
      if (!existsSync(lastKey)) throw failed();
      appendFileSync(path, `\n${readFileSync(lastKey, 'utf8')}`);
    }
    const key = createPrivateKey(readFileSync(path, 'utf8'));
    if (!certificate.x509.checkPrivateKey(key)) throw invalid();
    copyFileSync(path, own);
    chmodSync(own, statSync(path).mode & 0o777);
    return certificate;
  };

  const reload = () => {
    if (!manager.hasSystemd) throw failed();
  };

  const install = (path: string): string => {
    note(path);
    if (isAuthority ? installed.size >= maxAuthorities : installed.size > 0) throw notAllowed();
    refuseKnown(path, [...installed.values()]);
    const id = String(counter);
    const certificate = admit(path);
    installed.set(id, certificate);
    server.add(`${root}/${id}`, objectOf(id), [certificateInterface.name]);
    reload();
    counter += 1;
    return `${root}/${id}`;
  };

  const replace = (id: string, path: string) => {
    note(path);
    refuseKnown(
      path,
      [...installed].filter(([other]) => other !== id).map(([, one]) => one),
    );
    const before = properties(installed.get(id));
    installed.set(id, admit(path));
    const after = properties(installed.get(id));
    const changed = Object.keys(after).filter((name) => {
      return String(Reflect.get(before, name)) !== String(Reflect.get(after, name));
    });
    server.announce(`${root}/${id}`, certificateInterface.name, changed);
    reload();
  };

  const objectOf = (id: string): readonly ServedInterface[] => {
    const read = () => properties(installed.get(id));
    return [
      serve(certificateInterface, {
        properties: {
          CertificateString: () => read().CertificateString,
          Subject: () => read().Subject,
          Issuer: () => read().Issuer,
          KeyUsage: () => read().KeyUsage,
          ValidNotAfter: () => read().ValidNotAfter,
          ValidNotBefore: () => read().ValidNotBefore,
        },
      }),
      serve(replaceInterface, { methods: { Replace: ({ Path }) => replace(id, Path) } }),
      serve(deleteInterface, {
        methods: {
          Delete() {
            installed.delete(id);
            if (!isAuthority) rmSync(own, { force: true });
            server.remove(`${root}/${id}`);
            reload();
          },
        },
      }),
    ];
  };

  const work = (parameters: CsrParameters) => {
    const isRefused = parameters.KeyCurveId === manager.refusedCurve;
    const made = isRefused ? undefined : csrOf(parameters);
    making = false;
    isMade = made !== undefined;
    if (made) writeFileSync(lastKey, made.key);
    server.add(csrPath, [
      serve(csrInterface, {
        methods: {
          CSR() {
            if (!isMade || !made) throw failed();
            return made.csr;
          },
        },
      }),
    ]);
  };

  const refused = () => {
    throw notAllowed();
  };
  const server = new ObjectServer({
    bus,
    root,
    authorize: async () => 0,
    follow: (_call, _method, work) => work(),
    report: () => undefined,
  });
  server.add(root, [
    serve(installInterface, { methods: { Install: ({ Path }) => install(Path) } }),
    serve(csrCreateInterface, {
      methods: {
        GenerateCSR(parameters) {
          // Two workers at a time are the end of the real one
          if (making) manager.stop();
          making = true;
          requests.push(parameters);
          server.remove(csrPath);
          // The worker ends after the reply
          if (!manager.holdsRequests) setImmediate(work, parameters);
          return csrPath;
        },
      },
    }),
    serve(deleteAllInterface, { methods: { DeleteAll: refused } }),
    serve(installAllInterface, { methods: { InstallAll: refused } }),
    serve(replaceAllInterface, { methods: { ReplaceAll: refused } }),
  ]);
  if (existsSync(own)) {
    installed.set('1', firstCertificate(own, failed));
    server.add(`${root}/1`, objectOf('1'));
  }
  await requestName(bus, busName(endpoint));
  return manager;
}

function firstCertificate(path: string, refusal: () => DBusError): Certificate {
  try {
    // OpenSSL's reader, as there, of the first certificate of the file
    return readCertificate(new X509Certificate(readFileSync(path)).raw);
  } catch {
    throw refusal();
  }
}

/** Those whose issuer and serial number are the same are one. */
function isSame(a: Certificate, b: Certificate): boolean {
  return a.serialNumber === b.serialNumber && formatName(a.issuer) === formatName(b.issuer);
}

function properties(certificate: Certificate | undefined) {
  return {
    CertificateString: certificate?.pem ?? '',
    Subject: formatName(certificate?.subject ?? []),
    Issuer: formatName(certificate?.issuer ?? []),
    // The lowest bit of the first octet alone
    KeyUsage: [...(certificate?.keyUsage ?? [])].slice(0, 1),
    ValidNotAfter: BigInt(certificate?.notAfter ?? 0),
    ValidNotBefore: BigInt(certificate?.notBefore ?? 0),
  };
}

/** A request without extensions: all that was asked for is in the subject. `undefined` where the worker fails. */
function csrOf(given: CsrParameters): { readonly key: string; readonly csr: string } | undefined {
  const { KeyPairAlgorithm, KeyBitLength, KeyCurveId } = given;
  if (!['', 'EC', 'RSA'].includes(KeyPairAlgorithm)) return undefined;
  if (KeyPairAlgorithm === 'RSA' && KeyBitLength !== 2048n) return undefined;
  const curve = Object.keys(curveNames).find((name) => name === (KeyCurveId || 'secp224r1'));
  if (KeyPairAlgorithm !== 'RSA' && !curve) return undefined;
  const key = generateKey(
    KeyPairAlgorithm === 'RSA'
      ? { kind: 'RSA', bits: 2048 }
      : { kind: 'EC', curve: curve as keyof typeof curveNames },
  );
  const subject = csrParameterNames.flatMap((name): NewAttribute[] => {
    const values = [given[name]].flat().map(String);
    const type = csrParameters[name].attribute ?? subjectOnly[name];
    return type ? values.filter((one) => one !== '').map((value) => ({ type, value })) : [];
  });
  const csr = makeRequest({ subject, alternativeNames: [], usages: [] }, key);
  return { key: exportPrivateKey(key), csr };
}

/** What belongs into extensions. */
const subjectOnly: Partial<Record<CsrParameterName, NewAttribute['type']>> = {
  AlternativeNames: 'subjectAltName',
  KeyPairAlgorithm: 'algorithm',
  KeyUsage: 'keyUsage',
};
