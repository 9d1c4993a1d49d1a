import { CertError } from '../../core/cert-error.ts';
import { signatureOf } from '../server/interface.ts';
import { propertiesInterface } from '../server/standard-interfaces.ts';
import { connectBus } from '../transport/bus.ts';
import { type GnoiStatus, gnoiInterface, gnoiName, gnoiRoot } from './gnoi-interface.ts';

/** What an operator asks of the gNOI service. Rejections are CertErrors, `unavailable` where the service does not run. */
export interface GnoiAdministration {
  status(): Promise<GnoiStatus>;
  extend(id: string, seconds: number): Promise<void>;
  close(): void;
}

/** @throws CertError `unavailable` */
export async function administerGnoi(busAddress: string): Promise<GnoiAdministration> {
  const bus = await connectBus(busAddress);
  const call = async (name: string, member: string, signature: string, body: unknown[]) => {
    const object = { destination: gnoiName, path: gnoiRoot, interface: name };
    try {
      return await bus.call({ ...object, member, signature, body });
    } catch (error) {
      if (error instanceof CertError && error.code === 'unavailable')
        throw new CertError('unavailable', 'the gNOI service does not run', { cause: error });
      throw error;
    }
  };
  return {
    async status() {
      const body = [gnoiInterface.name];
      const [all] = await call(propertiesInterface.name, 'GetAll', 's', body);
      return statusOf(new Map(Object.entries(Object(all))));
    },
    async extend(id, seconds) {
      const signature = signatureOf(gnoiInterface.methods.Extend.in);
      await call(gnoiInterface.name, 'Extend', signature, [id, seconds]);
    },
    close: () => bus.close(),
  };
}

function statusOf(properties: ReadonlyMap<string, unknown>): GnoiStatus {
  const value = (name: keyof typeof gnoiInterface.properties): unknown =>
    Reflect.get(Object(properties.get(name)), 'value');
  const list = (name: 'Authorities' | 'Rotations'): readonly unknown[] => {
    const found = value(name);
    return Array.isArray(found) ? found : [];
  };
  return {
    address: String(value('Address')),
    port: Number(value('Port')),
    clientAuthentication: String(value('ClientAuthentication')),
    cause: String(value('Cause')),
    certificate: String(value('Certificate')),
    authorities: list('Authorities').map(String),
    rotations: list('Rotations').flatMap((row) =>
      Array.isArray(row) ? [{ id: String(row[0]), deadline: new Date(Number(row[1]) * 1000) }] : [],
    ),
  };
}
