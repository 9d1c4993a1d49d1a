import { CertError } from '../../core/cert-error.ts';
import type { EndpointRef, PublishedCertificate } from '../../manager/certificate-client.ts';
import type { Content } from '../../x509/containers.ts';
import { deleteInterface, installInterface, replaceInterface } from '../certs/certs-interfaces.ts';
import { errorNameOf } from '../server/error-names.ts';
import type { Bus, OutgoingCall } from '../transport/bus.ts';
import type { CertificateCopy } from './manager-watch.ts';
import {
  asFile,
  authorityFiles,
  credentialFile,
  type Opening,
  type UpstreamFile,
} from './upstream-upload.ts';

/** An endpoint of phosphor-certificate-manager, which has none of our interfaces. */
export interface UpstreamEndpoint extends Opening {
  readonly endpoint: EndpointRef;
  readonly bus: Bus;
  /** Of the manager that is there now: no change goes to its successor. */
  readonly copy: CertificateCopy;
  /** Where the files lie that it is given; it reads them as root. */
  readonly directory: string;
}

export async function installAtUpstream(
  at: UpstreamEndpoint,
  content: Content,
): Promise<PublishedCertificate> {
  const file = await fileOf(at, content);
  if (at.endpoint.type === 'authority' && findShown(at, file)) throw alreadyThere();
  return install(at, file);
}

export async function replaceAtUpstream(
  at: UpstreamEndpoint,
  id: string,
  content: Content,
): Promise<PublishedCertificate> {
  const file = await fileOf(at, content);
  const call = { path: `${at.root}/${id}`, interface: replaceInterface.name, member: 'Replace' };
  return put(at, call, file, () => id);
}

/** Puts all authorities beside those that are there, or none. @returns the new ones */
export async function addAtUpstream(
  at: UpstreamEndpoint,
  content: Content,
): Promise<readonly PublishedCertificate[]> {
  const files = await authorityFiles(content, at);
  const wanted = files.filter((file) => !findShown(at, file));
  if (wanted.length === 0) throw alreadyThere();
  const added: PublishedCertificate[] = [];
  try {
    for (const file of wanted) added.push(await install(at, file));
    return added;
  } catch (error) {
    await takeOut(at, added, error);
    throw error;
  }
}

export async function deleteAtUpstream(at: UpstreamEndpoint, id: string): Promise<void> {
  const path = `${at.root}/${id}`;
  await at.bus
    .call({ destination: at.copy.owner, path, interface: deleteInterface.name, member: 'Delete' })
    .catch((error: unknown) => {
      // It fails also where only the service could not be told
      if (!isFailure(error) || at.copy.get(id)) throw error;
    });
}

/** @throws CertError `internal` where one of them stays */
async function takeOut(
  at: UpstreamEndpoint,
  added: readonly PublishedCertificate[],
  cause: unknown,
): Promise<void> {
  await Promise.allSettled(added.map(({ id }) => deleteAtUpstream(at, id)));
  const stay = added.filter(({ id }) => at.copy.get(id)).map(({ id }) => id);
  if (stay.length === 0) return;
  const message = `not all were taken, and those that were cannot be taken out again: ${stay.join(', ')}`;
  throw new CertError('internal', message, { cause });
}

async function fileOf(at: UpstreamEndpoint, content: Content): Promise<UpstreamFile> {
  if (at.endpoint.type !== 'authority') return credentialFile(content, at);
  const [file, ...others] = await authorityFiles(content, at);
  if (file && others.length === 0) return file;
  throw new CertError('too-many-certificates', 'there are several certificates in place of one');
}

function install(at: UpstreamEndpoint, file: UpstreamFile): Promise<PublishedCertificate> {
  const call = { path: at.root, interface: installInterface.name, member: 'Install' };
  return put(at, call, file, (path) => String(path).split('/').at(-1) ?? '');
}

/** What becomes of the file is known, also where another client has taken it away by now. */
async function put(
  at: UpstreamEndpoint,
  method: Pick<OutgoingCall, 'path' | 'interface' | 'member'>,
  file: UpstreamFile,
  idOf: (result: unknown) => string,
): Promise<PublishedCertificate> {
  const { bus, copy, directory } = at;
  const wasThere = findShown(at, file) !== undefined;
  const call = { destination: copy.owner, ...method, signature: 's' };
  try {
    const [result] = await asFile(directory, file.text, (path) =>
      bus.call({ ...call, body: [path] }),
    );
    return { ...file.published, id: idOf(result) };
  } catch (error) {
    // It fails also where the certificate is in service and only the service could not be told
    const shown = isFailure(error) && !wasThere ? findShown(at, file) : undefined;
    if (shown) return { ...file.published, id: shown.id };
    throw refusalOf(at, file, error);
  }
}

function findShown(
  { copy }: UpstreamEndpoint,
  { published }: UpstreamFile,
): PublishedCertificate | undefined {
  const { fingerprint } = published.certificate;
  return copy.list().find(({ certificate }) => certificate.fingerprint === fingerprint);
}

function alreadyThere(): CertError {
  return new CertError('already-installed', 'each of these authorities is installed');
}

function isFailure(error: unknown): boolean {
  return errorNameOf(error)?.endsWith('.InternalFailure') ?? false;
}

/** The manager has four names for all that can be wrong, and a reason in its journal alone. */
function refusalOf(at: UpstreamEndpoint, file: UpstreamFile, error: unknown): unknown {
  const { type } = at.endpoint;
  const needsKey = type !== 'authority' && !file.hasKey;
  const refusal = (code: CertError['code'], message: string) =>
    new CertError(code, message, { cause: error });
  switch (errorNameOf(error)?.split('.').at(-1)) {
    case 'InvalidCertificate':
      return needsKey
        ? refusal(
            'key-mismatch',
            'the file holds no private key, and the key of the last request of the certificate manager is not that of the certificate',
          )
        : refusal(
            'certificate-malformed',
            'the certificate manager refuses the certificate; its journal says why',
          );
    case 'NotAllowed':
      if (type !== 'authority')
        return refusal('already-installed', 'there is a certificate already');
      // Of one that takes the place of another
      if (findShown(at, file)) return alreadyThere();
      return refusal(
        'limit-reached',
        'the certificate manager takes no further authority, or has one of the same issuer and serial number',
      );
    case 'InternalFailure':
      return needsKey
        ? refusal(
            'key-missing',
            'the file holds no private key, and the certificate manager has made no request that one waits for',
          )
        : refusal('internal', 'the certificate manager failed; its journal says why');
    default:
      return error;
  }
}
