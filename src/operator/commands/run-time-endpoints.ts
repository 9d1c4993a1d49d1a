import { CertError, type CertErrorCode } from '../../core/cert-error.ts';
import { BusEdgeEndpoints } from '../../dbus/client/bus-edge-endpoints.ts';
import type { EndpointRef } from '../../manager/certificate-client.ts';
import type { EdgeEndpoint, EdgeEndpoints } from '../../manager/edge-endpoints.ts';
import { endpointTypes } from '../../manager/endpoint-definition.ts';
import { isEndpointId, runTimePrefix } from '../../manager/run-time/endpoint-id.ts';
import { usualLimits } from '../../x509/limits.ts';
import { summaryOf } from '../certificate-view.ts';
import { commandLog, type OperatorContext, operatorCommand, refuseRemote } from '../context.ts';
import { describeFailure } from '../failure.ts';
import { CommandError } from '../framework/exit-status.ts';
import { textValue, type ValueKind } from '../framework/value-kind.ts';
import { listed, quietOption } from '../names.ts';
import { nameOf, originOf } from '../targets.ts';

/** An endpoint by its type and the id that its edge gave it. */
const runTimeEndpoint: ValueKind<EndpointRef> = {
  placeholder: 'TYPE/ID',
  parse(text) {
    const slash = text.indexOf('/');
    const type = endpointTypes.find((one) => one === text.slice(0, slash));
    const name = text.slice(slash + 1).replace(new RegExp(`^${runTimePrefix}`), '');
    if (type && isEndpointId(name)) return { type, name };
    const message = `An endpoint of run time is named like server/gnoi-1, not ${JSON.stringify(text)}.`;
    throw new CommandError('usage', message);
  },
  completion: { ask: 'endpoint list --quiet' },
};

const endpointArgument = { kind: runTimeEndpoint, about: 'such as `server/gnoi-1`' } as const;
const service = {
  kind: { ...textValue('SERVICE'), completion: { ask: 'bindings --quiet' } },
  about: 'a service of the configuration',
} as const;
const endpointField = { type: 'text', title: 'Endpoint', about: 'its type and its id' } as const;
const serviceField = { type: 'text', title: 'Service', about: 'name of the service' } as const;

export async function withEndpoints<T>(
  context: OperatorContext,
  name: string,
  work: (endpoints: EdgeEndpoints) => Promise<T>,
): Promise<T> {
  refuseRemote(context, name);
  const { busAddress } = context;
  const limits = { uploadBytes: 1 << 20, content: usualLimits };
  // No key is made here
  const client = new BusEdgeEndpoints({
    ...{ busAddress, requestTimeout: 30_000, log: commandLog() },
    ...limits,
  });
  try {
    await client.start();
    if (client.isAvailable) return await work(client);
    if (client.denial) throw client.denial;
    const fault = 'the certificate manager is not on the bus, or serves no endpoints of run time';
    throw new CertError('unavailable', fault);
  } catch (error) {
    throw withAdvice(error);
  } finally {
    client.close();
  }
}

/** The usual advice is about the endpoints of the configuration. */
function withAdvice(error: unknown): unknown {
  if (!(error instanceof CertError)) return error;
  const next = advice[error.code];
  return next === undefined ? error : describeFailure(error, next);
}

const advice: Partial<Record<CertErrorCode, string>> = {
  'not-found': 'bmc-certs endpoint list shows what there is',
  'already-installed': 'take another id, or remove that one with bmc-certs endpoint remove',
};

export const endpointList = operatorCommand({
  name: 'endpoint list',
  summary: 'show the endpoints that came at run time',
  about: [
    '`list` shows them among those of the configuration. Where both have an endpoint of one name, the other commands call that of run time `TYPE/run-time:ID`.',
  ],
  options: quietOption,
  answersList: true,
  fields: {
    endpoint: endpointField,
    certificates: { type: 'number', title: 'Certs', about: 'how many it has' },
    daysLeft: {
      type: 'number',
      optional: true,
      title: 'Days',
      about: 'until the first of them expires',
    },
    subjects: { type: 'texts', title: 'Subjects', about: 'the distinguished name of each' },
    services: { type: 'texts', title: 'Services', about: 'those that read from it' },
  },
  examples: [{ command: 'endpoint list', about: 'All of them' }],
  run: ({ options, context }) =>
    withEndpoints(context, 'endpoint list', async (endpoints) =>
      listed(endpoints.list().map(endpointRow), options.quiet, ({ endpoint }) => endpoint),
    ),
});

function endpointRow({ type, name, certificates, services }: EdgeEndpoint) {
  const all = certificates.map(({ certificate }) => summaryOf(certificate));
  return {
    endpoint: nameOf({ type, name }),
    certificates: all.length,
    daysLeft: all.length === 0 ? null : Math.min(...all.map(({ daysLeft }) => daysLeft)),
    subjects: all.map(({ subject }) => subject),
    services,
  };
}

export const endpointAdd = operatorCommand({
  name: 'endpoint add',
  summary: 'add an endpoint at run time, without a certificate',
  arguments: { endpoint: endpointArgument },
  fields: { endpoint: endpointField },
  examples: [{ command: 'endpoint add authority/corporate', about: 'A profile of a CA' }],
  run: ({ args: { endpoint }, context }) =>
    withEndpoints(context, 'endpoint add', async (endpoints) => {
      await refuseConfigured(context, endpoint);
      await endpoints.add(endpoint);
      return { data: { endpoint: nameOf(endpoint) }, text: `${nameOf(endpoint)}: added\n` };
    }),
});

/** Edges choose their ids; an operator who takes a name of the configuration means the endpoint there. */
async function refuseConfigured(context: OperatorContext, endpoint: EndpointRef): Promise<void> {
  const { client } = await context.manager();
  const name = nameOf(endpoint);
  if (!client.isAvailable(endpoint) || originOf(client, endpoint) === 'run time') return;
  const message = `The configuration has an endpoint ${name} already; take another id.`;
  throw new CommandError('conflict', message);
}

export const endpointRemove = operatorCommand({
  name: 'endpoint remove',
  summary: 'remove an endpoint that came at run time, with its certificates and keys',
  arguments: { endpoint: endpointArgument },
  fields: { endpoint: endpointField },
  examples: [
    { command: 'endpoint remove server/gnoi-1', about: 'Its services have no certificate' },
  ],
  run: ({ args: { endpoint }, context }) =>
    withEndpoints(context, 'endpoint remove', async (endpoints) => {
      await endpoints.remove(endpoint);
      return { data: { endpoint: nameOf(endpoint) }, text: `${nameOf(endpoint)}: removed\n` };
    }),
});

const bindingFields = {
  service: serviceField,
  endpoint: { ...endpointField, optional: true },
  origin: {
    type: 'text',
    title: 'Origin',
    about: '`configuration`, `run time`, or `none` for a service that reads from nothing',
  },
} as const;

/** What services present is mostly of a server, whose type need not be given. */
const boundEndpoint: ValueKind<EndpointRef> = {
  ...runTimeEndpoint,
  placeholder: 'ID',
  parse: (text) =>
    isEndpointId(text) ? { type: 'server', name: text } : runTimeEndpoint.parse(text),
};

export const bindings = operatorCommand({
  name: 'bindings',
  summary: 'show the services that can be bound, and what each reads from',
  options: quietOption,
  answersList: true,
  fields: bindingFields,
  examples: [{ command: 'bindings', about: 'All services of the configuration' }],
  run: ({ options, context }) =>
    withEndpoints(context, 'bindings', async (endpoints) => {
      const data = endpoints.services().map((name) => bindingOf(endpoints, name));
      return listed(data, options.quiet, ({ service: name }) => name);
    }),
});

export const bind = operatorCommand({
  name: 'bind',
  summary: 'have a service read its certificate from an endpoint of run time',
  arguments: {
    service,
    endpoint: {
      kind: boundEndpoint,
      about: 'of a server, such as `gnoi-1`; or such as `client/nats-1`',
    },
  },
  fields: bindingFields,
  examples: [{ command: 'bind gnoi gnoi-1', about: 'What the gNOI service presents' }],
  run: ({ args: { service: name, endpoint }, context }) =>
    withEndpoints(context, 'bind', async (endpoints) => {
      await endpoints.bind(name, endpoint);
      return shown(endpoints, name);
    }),
});

export const unbind = operatorCommand({
  name: 'unbind',
  summary: 'have a service read its certificate from where the configuration says',
  arguments: { service },
  fields: bindingFields,
  examples: [{ command: 'unbind gnoi', about: 'Undo `bind`' }],
  run: ({ args: { service: name }, context }) =>
    withEndpoints(context, 'unbind', async (endpoints) => {
      await endpoints.unbind(name);
      return shown(endpoints, name);
    }),
});

function bindingOf(endpoints: EdgeEndpoints, service: string) {
  const bound = endpoints.bindings().find((one) => one.service === service);
  const endpoint = bound ? nameOf(bound.endpoint) : null;
  return { service, endpoint, origin: bound?.origin ?? 'none' };
}

function shown(endpoints: EdgeEndpoints, service: string) {
  const data = bindingOf(endpoints, service);
  const { endpoint, origin } = data;
  const text = endpoint === null ? 'reads from nothing' : `reads from ${endpoint} (${origin})`;
  return { data, text: `${service}: ${text}\n` };
}
