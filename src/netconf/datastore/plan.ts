import { CertError } from '../../core/cert-error.ts';
import type { EndpointRef } from '../../manager/certificate-client.ts';
import type { ReplacementInput } from '../../manager/edge-endpoints.ts';
import type { Certificate } from '../../x509/certificate.ts';
import { pemContent } from '../../x509/containers.ts';
import type { ContentLimits } from '../../x509/limits.ts';
import { namespaces } from '../models/modules.ts';
import { missingElement, RpcError } from '../rpc/rpc-error.ts';
import { certError } from './cert-errors.ts';
import { readCertData } from './certificate-data.ts';
import { type DataNode, leafOf, nodesAt } from './data-node.ts';
import { errorPath, type PathStep } from './data-path.ts';
import type { EndpointNames } from './names.ts';
import { endpointOf, type Holder, type NamedCertificates, type Running } from './running.ts';
import { publicKeyOfCertificates, spkiFormat } from './running-tree.ts';

/** What an edit comes to. */
export interface Plan {
  /** What the manager is to do, all of it at once. */
  readonly parts: readonly PlannedPart[];
  /** What is to be remembered of the endpoints that the edit is about. */
  readonly names: readonly (EndpointRef & EndpointNames)[];
  /** What bags of run time will have, by their names. */
  readonly bags: ReadonlyMap<string, readonly Certificate[]>;
}

export interface PlannedPart extends Omit<ReplacementInput, 'create'> {
  readonly path: readonly PathStep[];
  /** What the endpoint had when this was planned. */
  readonly before: readonly Certificate[];
}

type List = 'keys' | 'bags';

/** Where the lists of the models are, and where their certificates. */
const places = {
  keys: {
    namespace: namespaces.keystore,
    list: ['keystore', 'asymmetric-keys', 'asymmetric-key'],
    certificates: ['certificates', 'certificate'],
  },
  bags: {
    namespace: namespaces.truststore,
    list: ['truststore', 'certificate-bags', 'certificate-bag'],
    certificates: ['certificate'],
  },
} as const;

/**
 * Compares what is to be with what is.
 * @param tree what `runningTree` made of it, and `after` what an edit made of that
 * @throws RpcError for what no edit can do
 */
export function planEdit(
  running: Running,
  tree: readonly DataNode[],
  after: readonly DataNode[],
  limits: ContentLimits,
): Plan {
  const steps = (['keys', 'bags'] as const).flatMap((list) => {
    const held = new Map(running[list].map((one) => [one.name, one]));
    const nodes = (of: readonly DataNode[]) =>
      new Map(nodesAt(of, ...places[list].list).map((one) => [leafOf(one, 'name') ?? '', one]));
    const [before, wanted] = [nodes(tree), nodes(after)];
    return [...new Set([...before.keys(), ...wanted.keys()])].flatMap((name) => {
      const place = new Place(list, name);
      const [was, next] = [before.get(name), wanted.get(name)];
      // An edit leaves what it is not about
      if (was === next) return [];
      return planHolder(place, held.get(name), next, limits);
    });
  });
  return {
    parts: steps.flatMap(({ part }) => part ?? []),
    names: steps.map(({ names }) => names),
    bags: new Map(steps.flatMap(({ bag }) => (bag ? [bag] : []))),
  };
}

interface Step {
  readonly part?: PlannedPart;
  readonly names: EndpointRef & EndpointNames;
  readonly bag?: readonly [string, readonly Certificate[]];
}

function planHolder(
  place: Place,
  held: Holder | undefined,
  next: DataNode | undefined,
  limits: ContentLimits,
): Step[] {
  const endpoint = held?.endpoint ?? endpointOf(place.name, place.list);
  const before = held?.certificates.flatMap(({ certificates }) => certificates) ?? [];
  const isAlike = next && held && isUnchanged(place, held, next, limits);
  if (isAlike) return [];
  if (held && !held.isOfRunTime)
    throw place.error(
      'access-denied',
      'it is of the configuration of the device, which is not changed here',
    );
  const common = { endpoint, path: place.path, before };
  if (!next) {
    if (held && held.services.length > 0)
      throw place.error(
        'in-use',
        `the service ${held.services.join(', ')} reads from it: bind another one first`,
      );
    const names = { ...endpoint, description: undefined, certificates: new Map() };
    const part = { ...common, content: 'removal' as const };
    return [{ part, names, ...(place.list === 'bags' && { bag: [place.name, []] as const }) }];
  }
  const certificates = wantedCertificates(place, held, next, limits);
  const all = certificates.flatMap((one) => one.certificates);
  const names = {
    ...endpoint,
    description: leafOf(next, 'description'),
    certificates: new Map(
      certificates.flatMap(({ name, certificates: named }) =>
        named.map(({ fingerprint }) => [fingerprint, name] as const),
      ),
    ),
  };
  if (place.list === 'keys') mustBeForKey(place, held, next, certificates);
  if (held && isSameSet(all, before)) return [{ names }];
  const content = all.length === 0 ? 'nothing' : pemContent(all.map(({ pem }) => pem).join(''));
  const part: PlannedPart = { ...common, content };
  return [{ part, names, ...(place.list === 'bags' && { bag: [place.name, all] as const }) }];
}

/** Whether an edit says again what is there. */
function isUnchanged(place: Place, held: Holder, next: DataNode, limits: ContentLimits): boolean {
  const wanted = wantedCertificates(place, held, next, limits);
  const names = (list: readonly NamedCertificates[]) =>
    list.map(({ name, certificates }) => `${name}\0${printsOf(certificates).join()}`).sort();
  const isSameDescription = leafOf(next, 'description') === held.description;
  const publicKey = leafOf(next, 'public-key');
  const [first] = held.certificates;
  const isSameKey =
    place.list === 'bags' ||
    publicKey === undefined ||
    (first && publicKeyOfCertificates(first) === publicKey);
  const isSameFormat = (leafOf(next, 'public-key-format') ?? spkiFormat) === spkiFormat;
  return (
    isSameDescription &&
    isSameFormat &&
    isSameKey === true &&
    names(wanted).join('\n') === names(held.certificates).join('\n')
  );
}

/** The certificates of a node; those that it had already need not be read again. */
function wantedCertificates(
  place: Place,
  held: Holder | undefined,
  next: DataNode,
  limits: ContentLimits,
): readonly NamedCertificates[] {
  const seen = new Map<string, string>();
  return nodesAt(next.children, ...places[place.list].certificates).map((node) => {
    const name = leafOf(node, 'name') ?? '';
    const data = leafOf(node, 'cert-data');
    const at = place.certificate(name);
    if (data === undefined)
      throw missingElement('cert-data', { type: 'application', path: errorPath(at.path) });
    const certificates = at.reading(() => readCertData(data, limits));
    for (const { fingerprint } of place.list === 'bags' ? certificates : []) {
      const other = seen.get(fingerprint);
      if (other !== undefined)
        throw at.error('invalid-value', `the same certificate is there as ${other}`);
      seen.set(fingerprint, name);
    }
    const same = held?.certificates.find(
      (one) => one.name === name && isSameSet(one.certificates, certificates),
    );
    return { name, certificates: same?.certificates ?? certificates };
  });
}

/** A key is the manager's, which has one certificate for it. */
function mustBeForKey(
  place: Place,
  held: Holder | undefined,
  next: DataNode,
  certificates: readonly NamedCertificates[],
): void {
  const [only, second] = certificates;
  if (!only)
    throw place.error(
      'operation-failed',
      held
        ? 'a key goes with its certificate: delete the asymmetric-key, or replace the certificate'
        : 'no key can be made here: have the device make one with its CSR, and send the certificate for it',
    );
  if (second)
    throw place.error(
      'operation-failed',
      `a key has one certificate here: delete ${JSON.stringify(only.name)} in the same edit, or replace it`,
      'too-many-elements',
    );
  if ((leafOf(next, 'public-key-format') ?? spkiFormat) !== spkiFormat)
    throw place.error(
      'invalid-value',
      'the public-key-format is none but subject-public-key-info-format',
    );
  const wanted = leafOf(next, 'public-key');
  const isOld = held?.certificates.some((one) => publicKeyOfCertificates(one) === wanted);
  const isOfCertificate = only.certificates.some(
    (one) => publicKeyOfCertificates({ name: '', certificates: [one] }) === wanted,
  );
  if (wanted !== undefined && !isOld && !isOfCertificate)
    throw place.error('invalid-value', 'the certificate is not for this public-key');
}

function isSameSet(one: readonly Certificate[], other: readonly Certificate[]): boolean {
  return printsOf(one).join() === printsOf(other).join();
}

function printsOf(certificates: readonly Certificate[]): readonly string[] {
  return certificates.map(({ fingerprint }) => fingerprint).sort();
}

/** Where in the models an edit is. */
class Place {
  readonly list: List;
  readonly name: string;
  readonly path: readonly PathStep[];

  constructor(list: List, name: string, below: readonly PathStep[] = []) {
    const { namespace, list: names } = places[list];
    const steps = names.map((step, at) => ({
      ...{ namespace, name: step },
      ...(at === names.length - 1 && { key: { name: 'name', value: name } }),
    }));
    this.list = list;
    this.name = name;
    this.path = [...steps, ...below];
  }

  certificate(name: string): Place {
    const { namespace, certificates } = places[this.list];
    const steps = certificates.map((step, at) => ({
      ...{ namespace, name: step },
      ...(at === certificates.length - 1 && { key: { name: 'name', value: name } }),
    }));
    return new Place(this.list, this.name, steps);
  }

  error(
    tag: 'access-denied' | 'in-use' | 'invalid-value' | 'operation-failed',
    message: string,
    appTag?: string,
  ): RpcError {
    const path = errorPath(this.path);
    return new RpcError(tag, message, {
      ...{ type: 'application', path },
      ...(appTag !== undefined && { appTag }),
    });
  }

  reading<T>(work: () => T): T {
    try {
      return work();
    } catch (error) {
      if (error instanceof CertError) throw certError(error, this.path);
      throw error;
    }
  }
}
