import { CertError } from '../../core/cert-error.ts';
import { administerGnoi, type GnoiAdministration } from '../../dbus/gnoi-service/gnoi-client.ts';
import type { GnoiStatus } from '../../dbus/gnoi-service/gnoi-interface.ts';
import { type OperatorContext, operatorCommand, refuseRemote } from '../context.ts';
import { describeFailure } from '../failure.ts';
import { CommandError } from '../framework/exit-status.ts';
import { integerValue, textValue } from '../framework/value-kind.ts';
import { nameOf } from '../targets.ts';
import { withEndpoints } from './run-time-endpoints.ts';

/** The bundle of CAs that verifies the clients of the service, by the name that gNOI on devices has for it. */
const bundle = { type: 'authority', name: 'gnoi-ca-bundle' } as const;

const modes: Readonly<Record<string, string>> = {
  none: 'not asked for',
  request: 'asked for, not verified',
  'request-and-verify': 'asked for, verified where shown',
  require: 'required, not verified',
  'require-and-verify': 'required',
};

const causes: Readonly<Record<string, string>> = {
  configuration: 'by gnoi.clientAuthentication',
  bundle: 'implicitly, by gnoi-ca-bundle',
  'no bundle': 'implicitly, without gnoi-ca-bundle',
};

const idField = { type: 'text', title: 'Id', about: 'of the certificate on trial' } as const;
const deadlineField = {
  type: 'time',
  title: 'Undone',
  about: 'when it is undone unless it is finalized',
} as const;

export const gnoiStatus = operatorCommand({
  name: 'gnoi status',
  summary: 'show how the gNOI service stands',
  fields: {
    address: { type: 'text', about: 'where the service listens' },
    port: { type: 'number', about: 'its TCP port' },
    listens: { type: 'text', title: 'Listens at', about: 'both of them' },
    certificate: {
      type: 'text',
      title: 'Certificate',
      optional: true,
      about: 'the id that the service is bound to; none where it shows a certificate of its own',
    },
    clientAuthentication: {
      type: 'text',
      about:
        'what is asked of the certificates of clients: `none`, `request`, `request-and-verify`, `require` or `require-and-verify`',
    },
    cause: {
      type: 'text',
      about: 'why: `configuration`, `bundle` or `no bundle`',
    },
    clients: { type: 'text', title: 'Client certificates', about: 'mode and cause in words' },
    authorities: {
      type: 'texts',
      title: 'gnoi-ca-bundle',
      about: 'subjects of the CAs that verify clients',
    },
    onTrial: { type: 'texts', title: 'On trial', about: 'rotations that are not finalized yet' },
    rotations: {
      type: 'rows',
      about: 'the same in full',
      fields: { id: idField, deadline: deadlineField },
    },
  },
  examples: [{ command: 'gnoi status', about: 'Rotations on trial among the rest' }],
  run: ({ context }) =>
    withService(context, 'gnoi status', async (service) => ({
      data: statusRow(await service.status()),
    })),
});

function statusRow(status: GnoiStatus) {
  const { address, port, certificate, clientAuthentication, cause, rotations } = status;
  const until = (deadline: Date) => deadline.toISOString().replace('.000Z', 'Z');
  return {
    ...{ address, port, clientAuthentication, cause, rotations },
    listens: `${address.includes(':') ? `[${address}]` : address}:${port}`,
    certificate: certificate === '' ? null : certificate,
    clients: `${modes[clientAuthentication] ?? clientAuthentication}, ${causes[cause] ?? cause}`,
    authorities: status.authorities,
    onTrial: rotations.map(({ id, deadline }) => `${id} until ${until(deadline)}`),
  };
}

export const gnoiExtend = operatorCommand({
  name: 'gnoi extend',
  summary: 'give a rotation on trial more time',
  arguments: {
    seconds: {
      kind: integerValue('SECONDS', 1, 86_400),
      about: 'from now until it is undone unless it is finalized; `replacement.maxSeconds` at most',
    },
    id: {
      kind: textValue('ID'),
      about: 'of its certificate; need not be given where one alone is on trial',
      optional: true,
    },
  },
  fields: { id: idField, deadline: deadlineField },
  examples: [{ command: 'gnoi extend 900', about: 'A quarter of an hour from now' }],
  run: ({ args, context }) =>
    withService(context, 'gnoi extend', async (service) => {
      const id = args.id ?? onlyOnTrial(await service.status());
      await service.extend(id, args.seconds);
      const { rotations } = await service.status();
      const found = rotations.find((one) => one.id === id);
      if (!found) throw new CommandError('not-found', `The rotation of ${id} has ended.`);
      return { data: found };
    }),
});

/** @throws CommandError */
function onlyOnTrial({ rotations }: GnoiStatus): string {
  const [only, ...others] = rotations;
  if (!only) throw new CommandError('not-found', 'No rotation is on trial.');
  if (others.length === 0) return only.id;
  const ids = rotations.map(({ id }) => id).join(', ');
  throw new CommandError('usage', `Name one of ${ids}.`);
}

export const gnoiClearBundle = operatorCommand({
  name: 'gnoi clear-bundle',
  summary: 'remove the CAs that verify the clients of the gNOI service',
  about: [
    'The way back from mutual TLS, which no client of gNOI has: unless `gnoi.clientAuthentication` says otherwise, the service then lets in clients without certificates, and ends the connections of before. Users still log in by their passwords. Works while the service is down, too.',
  ],
  fields: {
    bundle: { type: 'text', title: 'Bundle', about: 'the endpoint of the CAs' },
    removed: { type: 'number', title: 'CAs', about: 'how many there were' },
  },
  examples: [{ command: 'gnoi clear-bundle', about: 'When no client has a certificate any more' }],
  run: ({ context }) =>
    withEndpoints(context, 'gnoi clear-bundle', async (endpoints) => {
      const found = endpoints.find(bundle);
      if (!found) throw new CommandError('not-found', `There is no ${bundle.name}.`);
      const removed = found.certificates.length;
      await endpoints.remove(bundle);
      const name = nameOf(bundle);
      return { data: { bundle: name, removed }, text: `${name}: removed\n` };
    }),
});

async function withService<T>(
  context: OperatorContext,
  command: string,
  work: (service: GnoiAdministration) => Promise<T>,
): Promise<T> {
  refuseRemote(context, command);
  let service: GnoiAdministration | undefined;
  try {
    service = await administerGnoi(context.busAddress);
    return await work(service);
  } catch (error) {
    if (error instanceof CertError && error.code === 'unavailable')
      throw describeFailure(error, 'look at systemctl status bmc-gnoi');
    throw error;
  } finally {
    service?.close();
  }
}
