import type { Audit } from '../../core/audit.ts';
import { CertError } from '../../core/cert-error.ts';
import type { CsrParameters } from '../../manager/csr/parameters.ts';
import { type EndpointType, endpointTypes } from '../../manager/endpoint-definition.ts';
import type { StagedReplacements } from '../../manager/replacement/staged-replacements.ts';
import type { RunTimeEndpoints, StagePart } from '../../manager/run-time/run-time-endpoints.ts';
import type { ServiceBindings } from '../../manager/services/service-bindings.ts';
import { parseSignatureAlgorithm } from '../../manager/signing/signature-algorithms.ts';
import type { Signer } from '../../manager/signing/signer.ts';
import { blocksOf } from '../../manager/upload.ts';
import { openInputs, type UploadLimits, type UploadParts } from '../certs/content.ts';
import { requestRows } from '../certs/request-rows.ts';
import { ownersOf, userOwner } from '../certs/staged-replacement-object.ts';
import { type Caller, type ServedInterface, serve } from '../server/interface.ts';
import type { Callers } from '../transport/bus-driver.ts';
import {
  type CheckCaller,
  type EndpointOperation,
  type EndpointRules,
  policyFor,
  policyForBinding,
} from './access.ts';
import { endpointsInterface } from './interfaces.ts';
import { endpointAt, endpointPath } from './paths.ts';

export interface RootObjectOptions extends Pick<UploadParts, 'openContent'> {
  readonly endpoints: RunTimeEndpoints;
  readonly replacements: StagedReplacements;
  readonly bindings: ServiceBindings;
  readonly signer: Signer;
  readonly rules: EndpointRules;
  readonly check: CheckCaller;
  readonly callers: Pick<Callers, 'isConnected'>;
  /** Of the contents for each type. */
  readonly uploads: Readonly<Record<EndpointType, UploadLimits>>;
  readonly audit: Audit;
}

interface Key {
  readonly type: EndpointType;
  readonly name: string;
}

/** The object of all endpoints of run time together. */
export function endpointsObject(options: RootObjectOptions): ServedInterface {
  const { endpoints, bindings } = options;
  /** The endpoint that a call is about, which its caller may treat so; the audit says which it is. */
  const permitted = async (
    { Type, Id }: { readonly Type: string; readonly Id: string },
    operation: EndpointOperation,
    { name }: Caller,
  ): Promise<Key> => {
    const key = { type: parseType(Type), name: Id };
    options.audit.tell({ endpoint: `${key.type}/${Id}` });
    await options.check(name, policyFor(options.rules, operation, key));
    return key;
  };
  return serve(endpointsInterface, {
    properties: {
      Bindings: () =>
        bindings
          .list()
          .map(({ service, endpoint: { type, name }, origin }) => [service, type, name, origin]),
      Services: () => [...bindings.services()],
    },
    methods: {
      ...replacementMethods(options, permitted),
      ...bindingMethods(options),
      async Add(inputs, caller) {
        const { definition } = await endpoints.add(await permitted(inputs, 'change', caller));
        return endpointPath(definition);
      },
      async Remove({ Path }, caller) {
        const key = endpointAt(Path);
        if (!key || Path !== endpointPath(key))
          throw new CertError('not-found', 'there is no endpoint at this path');
        await permitted({ Type: key.type, Id: key.name }, 'change', caller);
        await endpoints.remove(key);
        await bindings.settle();
      },
      async Generate({ Type, Id, ...parameters }, caller) {
        const key = await permitted({ Type, Id }, 'change', caller);
        const { id, pem } = await endpoints.generate(key, parameters satisfies CsrParameters);
        return [id, pem];
      },
      async Outstanding(inputs, caller) {
        const found = endpoints.findWithKeys(await permitted(inputs, 'change', caller));
        return found ? requestRows(await found.requests.outstanding()) : [];
      },
      async Discard({ Request, ...inputs }, caller) {
        const key = await permitted(inputs, 'change', caller);
        await mustBe(endpoints.findWithKeys(key), key).requests.discard(Request);
      },
      async Sign({ Request, Algorithm, Data, ...inputs }, caller) {
        const key = await permitted(inputs, 'sign', caller);
        options.audit.tell({ key: Request || 'in service', algorithm: Algorithm });
        const endpoint = mustBe(endpoints.findWithKeys(key), key);
        const algorithm = parseSignatureAlgorithm(Algorithm);
        return options.signer.sign(endpoint, Request, algorithm, Data);
      },
    },
  });
}

type Permitted = (
  inputs: { readonly Type: string; readonly Id: string },
  operation: EndpointOperation,
  caller: Caller,
) => Promise<Key>;

function replacementMethods(options: RootObjectOptions, permitted: Permitted) {
  const { endpoints, replacements, callers } = options;
  const find = (id: string, caller: Caller) => {
    // Without a name there is none that was staged here: several may be
    if (id === '') throw new CertError('not-found', 'the replacement has no name');
    return replacements.find(id, { path: '' }, ownersOf(caller));
  };
  const partOf = async (
    [Type, Id, create, Content, Format, Password, request]: StagedRow,
    caller: Caller,
  ): Promise<StagePart> => {
    const { type, name } = await permitted({ Type, Id }, 'change', caller);
    const part = { type, name, create, ...(request !== '' && { request }) };
    if (Format === 'nothing' || Format === 'removal')
      return { ...part, content: undefined, remove: Format === 'removal' };
    const inputs = { Content, Format, Password };
    const uploads = options.uploads[type];
    const source = openInputs(inputs, { ...options, uploads }, caller, { path: `${type}/${name}` });
    return { ...part, content: await blocksOf(source, uploads.content) };
  };
  return {
    async Stage(
      { Parts, Seconds }: { Parts: readonly StagedRow[]; Seconds: number },
      caller: Caller,
    ) {
      const parts: StagePart[] = [];
      for (const row of Parts) parts.push(await partOf(row, caller));
      options.audit.tell({ endpoint: parts.map(({ type, name }) => `${type}/${name}`).join(' ') });
      const replacement = await endpoints.stage(caller.name, parts, Seconds);
      // A caller that left before the replacement had a name was not known as its owner
      const present = await callers.isConnected(caller.name).catch(() => false);
      if (!present) await replacements.ownerLeft(caller.name);
      return replacement;
    },
    async Detach({ Replacement }: Named, caller: Caller) {
      const { owner, id } = find(Replacement, caller);
      await replacements.handOver(owner, id, userOwner(caller));
    },
    async Activate({ Replacement, Seconds }: Named & { Seconds: number }, caller: Caller) {
      const { owner, id } = find(Replacement, caller);
      await replacements.activate(owner, id, Seconds);
    },
    async Commit({ Replacement }: Named, caller: Caller) {
      const { owner, id } = find(Replacement, caller);
      await replacements.commit(owner, id);
    },
    async Rollback({ Replacement }: Named, caller: Caller) {
      const { owner, id } = find(Replacement, caller);
      await replacements.rollback(owner, id);
    },
    async Extend({ Replacement, Seconds }: Named & { Seconds: number }, caller: Caller) {
      const { owner, id } = find(Replacement, caller);
      await replacements.extend(owner, id, Seconds);
    },
    Deadline({ Replacement }: Named, caller: Caller): [string, bigint] {
      const { state, deadline } = find(Replacement, caller);
      return [state === 'staged' ? 'Staged' : 'Active', BigInt(Math.floor(deadline / 1000))];
    },
  };
}

type StagedRow = [string, string, boolean, Buffer, string, string, string];

interface Named {
  readonly Replacement: string;
}

function bindingMethods({ endpoints, bindings, rules, check, audit }: RootObjectOptions) {
  const permitted = async (service: string, key: Key, { name }: Caller) => {
    audit.tell({ endpoint: `${key.type}/${key.name}`, service });
    await check(name, policyForBinding(rules, service, key));
  };
  const boundTo = (service: string) =>
    bindings.list().find((one) => one.service === service)?.endpoint;
  return {
    async Bind(
      { Service, Type, Id }: { Service: string; Type: string; Id: string },
      caller: Caller,
    ) {
      const type = parseType(Type);
      await permitted(Service, { type, name: Id }, caller);
      mustBe(endpoints.find({ type, name: Id }), { type, name: Id });
      await bindings.bind(Service, { type, name: Id });
    },
    async Unbind({ Service }: { Service: string }, caller: Caller) {
      const bound = boundTo(Service);
      if (!bound) throw new CertError('not-found', `no service ${Service} is bound`);
      await permitted(Service, bound, caller);
      await bindings.unbind(Service);
    },
  };
}

function parseType(text: string): EndpointType {
  const type = endpointTypes.find((one) => one === text);
  if (type) return type;
  throw new CertError('argument-invalid', `Type is none of ${endpointTypes.join(', ')}`);
}

function mustBe<E>(found: E | undefined, { type, name }: Key): E {
  if (found) return found;
  throw new CertError('not-found', `there is no endpoint ${type}/${name}`);
}
