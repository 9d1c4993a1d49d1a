import { CertError } from '../../../src/core/cert-error.ts';
import { csrArguments } from '../../../src/dbus/certs/certs-interfaces.ts';
import { signatureOf } from '../../../src/dbus/server/interface.ts';
import { type Bus, connectBus } from '../../../src/dbus/transport/bus.ts';
import { names, paths } from '../../fakes/manager-process.ts';
import { fingerprintOf } from './certificates.ts';
import type { Door, Outcome } from './changes.ts';
import type { World } from './world.ts';

const extension = 'xyz.openbmc_project.Certs.Extension';
const endpoints = { https: 'server', ldap: 'client', truststore: 'authority' } as const;
type Place = keyof typeof endpoints;

/** What a client on the bus can do, over one connection that it makes again when the bus was away. */
export interface BusDoor extends Door {
  /** Fingerprints of an endpoint by id; undefined while it is away. */
  list(place: Place): Promise<ReadonlyMap<string, string> | undefined>;
  leave(): void;
}

export function busDoor(world: World, address: string): BusDoor {
  let connection: Promise<Bus> | undefined;
  const bus = () => {
    connection ??= connectBus(address).then((bus) => {
      bus.onLost(() => {
        connection = undefined;
      });
      return bus;
    });
    return connection;
  };
  const call = async (
    place: Place,
    below: string,
    [name, member, signature]: readonly [string, string, string],
    body: readonly unknown[],
  ): Promise<unknown> => {
    const destination = names[endpoints[place]];
    const path = `${paths[endpoints[place]]}${below}`;
    try {
      const to = await bus();
      const [reply] = await to.call({
        ...{ destination, path, interface: name, member, signature, body, timeout: 60_000 },
      });
      return reply;
    } catch (error) {
      if (error instanceof CertError && error.code === 'unavailable') connection = undefined;
      throw error;
    }
  };
  const act = async (
    ...args: [...Parameters<typeof call>, understand?: (reply: unknown) => Partial<Outcome>]
  ): Promise<Outcome> => {
    const [place, below, member, body, understand = () => ({})] = args;
    const began = performance.now();
    try {
      const reply = await call(place, below, member, body);
      return { kind: 'done', ...understand(reply) } as Outcome;
    } catch (error) {
      return asOutcome(error, world.outages.overlap(began, performance.now()));
    }
  };
  const content = (pem: string) => [Buffer.from(pem), 'PEM', ''];
  const install = [`${extension}.Upload`, 'Install', 'ayss'] as const;
  const replace = [`${extension}.Replace`, 'Replace', 'ayss'] as const;
  const remove = ['xyz.openbmc_project.Object.Delete', 'Delete', ''] as const;
  return {
    name: 'D-Bus',
    view: 'manager',
    installClient: (pem) => act('ldap', '', install, content(pem)),
    replace: (place, pem) => act(place, '/1', replace, content(pem)),
    deleteClient: () => act('ldap', '/1', remove, []),
    installAuthority: (pem) =>
      act('truststore', '', install, content(pem), (path) => ({
        id: String(path).split('/').at(-1) ?? '',
      })),
    replaceAuthority: (id, pem) => act('truststore', `/${id}`, replace, content(pem)),
    deleteAuthority: (id) => act('truststore', `/${id}`, remove, []),
    makeRequest: (place) => {
      const member = [`${extension}.Request`, 'Generate', requestSignature] as const;
      return act(place, '', member, requestBody, (pem) => ({ value: String(pem) }));
    },
    async list(place) {
      const began = performance.now();
      try {
        const member = ['org.freedesktop.DBus.ObjectManager', 'GetManagedObjects', ''] as const;
        const objects = Object(await call(place, '', member, []));
        return new Map(
          Object.keys(objects).flatMap((path) => {
            const certificate = objects[path]['xyz.openbmc_project.Certs.Certificate'];
            const id = path.split('/').at(-1) ?? '';
            if (certificate === undefined) return [];
            return [[id, fingerprintOf(certificate.CertificateString.value)] as const];
          }),
        );
      } catch (error) {
        if (world.outages.overlap(began, performance.now())) return undefined;
        throw error;
      }
    },
    leave() {
      void connection?.then(
        (bus) => bus.close(),
        () => undefined,
      );
    },
  };
}

const requestSignature = signatureOf(csrArguments);
const request: Readonly<Record<string, unknown>> = {
  AlternativeNames: ['bmc.example.com'],
  ...{ City: 'Testville', CommonName: 'bmc.example.com', Country: 'DE', State: 'Test' },
  ...{ KeyBitLength: 0n, KeyCurveId: 'prime256v1', KeyPairAlgorithm: 'EC', KeyUsage: [] },
  ...{ Organization: 'Test', OrganizationalUnit: 'Soak' },
};
const requestBody = Object.keys(csrArguments).map((name) => request[name] ?? '');

function asOutcome(error: unknown, isOutage: boolean): Outcome {
  if (!(error instanceof CertError)) return { kind: 'wrong', text: String(error) };
  switch (error.code) {
    case 'already-installed':
      return { kind: 'occupied' };
    case 'not-found':
      return { kind: 'absent' };
    case 'busy':
      return { kind: 'busy' };
    case 'unavailable':
    case 'no-answer':
      return isOutage ? { kind: 'away' } : { kind: 'wrong', text: error.message };
    default:
      return { kind: 'wrong', text: `${error.code}: ${error.message}` };
  }
}
