import type { EndpointRef } from '../../manager/certificate-client.ts';
import type { ReplacementInput } from '../../manager/edge-endpoints.ts';
import type { Certificate } from '../../x509/certificate.ts';
import { pemContent } from '../../x509/containers.ts';
import type { ContentLimits } from '../../x509/limits.ts';
import { type DataNode, leafOf, nodesAt } from './data-node.ts';
import type { PathStep } from './data-path.ts';
import type { EndpointNames } from './names.ts';
import { errorAt, holderPlace, type Place, type PlaceList, places } from './place.ts';
import { endpointOf, type Holder, type Running } from './running.ts';
import { publicKeyOfCertificates } from './running-tree.ts';
import { isSameSet, isUnchanged, readWanted, type Wanted } from './wanted.ts';

/** What an edit comes to. */
export interface Plan {
  /** What the manager is to do, all of it at once. */
  readonly parts: readonly PlannedPart[];
  /** What is to be remembered of the endpoints that the edit is about. */
  readonly names: readonly (EndpointRef & EndpointNames)[];
  /** What bags will have, by their names. */
  readonly bags: ReadonlyMap<string, readonly Certificate[]>;
}

export interface PlannedPart extends Omit<ReplacementInput, 'create'> {
  readonly path: readonly PathStep[];
  /** What the endpoint had when this was planned. */
  readonly before: readonly Certificate[];
}

interface Step {
  readonly place: Place;
  readonly names: EndpointRef & EndpointNames;
  /** What it will have. */
  readonly certificates: readonly Certificate[];
  /** Absent where only names change. */
  readonly part?: PlannedPart;
}

/**
 * Compares what is to be with what is.
 * @param tree what `runningTree` made of it, and `after` what an edit made of that
 * @throws RpcError for what no edit can do
 */
export async function planEdit(
  running: Running,
  tree: readonly DataNode[],
  after: readonly DataNode[],
  limits: ContentLimits,
): Promise<Plan> {
  const steps: Step[] = [];
  for (const list of ['keys', 'bags'] as const) {
    const held = new Map(running[list].map((one) => [one.name, one]));
    const [before, wanted] = [holdersOf(tree, list), holdersOf(after, list)];
    for (const name of new Set([...before.keys(), ...wanted.keys()])) {
      const [was, next] = [before.get(name), wanted.get(name)];
      // An edit leaves the nodes that it is not about
      if (was === next) continue;
      const place = holderPlace(list, name);
      const current = held.get(name);
      const read = next && (await readWanted(place, current, was, next, limits));
      if (read && current && isUnchanged(current, read)) continue;
      steps.push(planHolder(place, current, read));
    }
  }
  const bags = steps.filter(({ place, part }) => place.list === 'bags' && part);
  return {
    parts: steps.flatMap(({ part }) => part ?? []),
    names: steps.map(({ names }) => names),
    bags: new Map(bags.map(({ place, certificates }) => [place.name, certificates])),
  };
}

/** The keys or bags of a tree by their names. */
function holdersOf(nodes: readonly DataNode[], list: PlaceList): ReadonlyMap<string, DataNode> {
  const found = nodesAt(nodes, ...places[list].list);
  return new Map(found.map((one) => [leafOf(one, 'name') ?? '', one]));
}

/** @param wanted absent for what is to go */
function planHolder(place: Place, held: Holder | undefined, wanted: Wanted | undefined): Step {
  if (held && !held.isOfRunTime) {
    const message = 'it is of the configuration of the device, which is not changed here';
    throw errorAt(place, 'access-denied', message);
  }
  if (!wanted && held && held.services.length > 0) {
    const services = held.services.join(', ');
    const message = `the service ${services} reads from it: bind another one first`;
    throw errorAt(place, 'in-use', message);
  }
  if (wanted && place.list === 'keys') mustBeForKey(place, held, wanted);
  const endpoint = held?.endpoint ?? endpointOf(place.name, place.list);
  const before = held?.certificates.flatMap((one) => one.certificates) ?? [];
  const certificates = wanted?.certificates.flatMap((one) => one.certificates) ?? [];
  const step = { place, certificates, names: { ...endpoint, ...namesIn(wanted) } };
  if (wanted && held && isSameSet(certificates, before)) return step;
  const content = wanted ? contentOf(certificates) : 'removal';
  return { ...step, part: { endpoint, content, before, path: place.path } };
}

function contentOf(certificates: readonly Certificate[]): PlannedPart['content'] {
  if (certificates.length === 0) return 'nothing';
  return pemContent(certificates.map(({ pem }) => pem).join(''));
}

function namesIn(wanted: Wanted | undefined): EndpointNames {
  const named = wanted?.certificates.flatMap(({ name, certificates }) =>
    certificates.map(({ fingerprint }) => [fingerprint, name] as const),
  );
  return { description: wanted?.description, certificates: new Map(named) };
}

/** A key is the manager's, which has one certificate for it. */
function mustBeForKey(
  place: Place,
  held: Holder | undefined,
  { publicKey, certificates: [only, second] }: Wanted,
): void {
  if (!only) {
    const message = held
      ? 'a key goes with its certificate: delete the asymmetric-key, or replace the certificate'
      : 'no key is made here: have the device make one with its CSR, and send the certificate for it';
    throw errorAt(place, 'operation-failed', message);
  }
  if (second) {
    const message = `a key has one certificate here: delete ${JSON.stringify(only.name)} in the same edit, or replace it`;
    throw errorAt(place, 'operation-failed', message, 'too-many-elements');
  }
  // The key that it had may stand there still when its successor comes
  const isOfHeld = held?.certificates.some((one) => publicKeyOfCertificates(one) === publicKey);
  const isOfCertificate = only.certificates.some(
    (one) => publicKeyOfCertificates({ name: '', certificates: [one] }) === publicKey,
  );
  if (publicKey !== undefined && !isOfHeld && !isOfCertificate)
    throw errorAt(place, 'invalid-value', 'the certificate is not for this public-key');
}
