import { CertError } from '../../core/cert-error.ts';
import { escapeId } from '../endpoints/paths.ts';
import { errorNameOf } from '../server/error-names.ts';
import { signatureOf } from '../server/interface.ts';
import { propertiesInterface } from '../server/standard-interfaces.ts';
import { connectBus } from '../transport/bus.ts';
import {
  bundleInterface,
  bundlesName,
  bundlesRoot,
  codeOfErrorName,
  type SettableProperty,
  type ToldBundle,
  type ToldDownload,
  type ToldMember,
} from './bundle-interface.ts';

/** Why a bundle refused, or could not do, what an operator asked. */
export class BundleRefusal extends Error {
  override readonly name = 'BundleRefusal';
  readonly code: string;

  constructor(code: string, message: string) {
    super(message);
    this.code = code;
  }
}

/**
 * What an operator asks of one bundle. Rejections are BundleRefusals, and CertErrors `unavailable`, `no-answer`, `not-found` and
 * `access-denied` where the program does not answer, has no such bundle, or does not answer this user.
 */
export interface BundleAdministration {
  status(): Promise<ToldBundle>;
  checkServer(): Promise<readonly [revision: bigint, date: bigint]>;
  download(): Promise<ToldDownload>;
  load(group: string): Promise<void>;
  loadFile(group: string, content: Buffer): Promise<void>;
  members(group: string): Promise<readonly ToldMember[]>;
  set(setting: SettableProperty, value: boolean | number | string): Promise<void>;
  reset(setting: SettableProperty): Promise<void>;
  close(): void;
}

/** Four files, each as late as the configuration may allow. */
const downloadMilliseconds = 4 * 3_600_000 + 60_000;

/** Members of a group with the most CAs, under long names. */
const maxReplyBytes = 8 * 1024 * 1024;

/** @throws CertError `unavailable` */
export async function administerBundle(
  busAddress: string,
  name: string,
): Promise<BundleAdministration> {
  const bus = await connectBus(busAddress, () => maxReplyBytes);
  const object = { destination: bundlesName, path: `${bundlesRoot}/${escapeId(name)}` };
  const call = async (
    interfaceName: string,
    member: string,
    signature: string,
    body: unknown[],
  ) => {
    const method = { interface: interfaceName, member, signature, body };
    try {
      const [result] = await bus.call({ ...object, ...method, timeout: downloadMilliseconds });
      return result;
    } catch (error) {
      const code = codeOfErrorName(errorNameOf(error) ?? '');
      if (error instanceof Error && code !== undefined)
        throw new BundleRefusal(code, error.message);
      if (!(error instanceof CertError)) throw error;
      const { code: failed } = error;
      if (failed === 'unavailable')
        throw new CertError(failed, 'the program of trust bundles does not run', { cause: error });
      if (failed === 'not-found') throw new CertError(failed, `there is no bundle ${name}`);
      throw error;
    }
  };
  const ask = (member: keyof typeof bundleInterface.methods, ...body: unknown[]) => {
    const signature = signatureOf(bundleInterface.methods[member].in);
    return call(bundleInterface.name, member, signature, body);
  };
  return {
    async status() {
      const all = await call(propertiesInterface.name, 'GetAll', 's', [bundleInterface.name]);
      const values = Object.entries(Object(all)).map(([property, typed]) => [
        property,
        Reflect.get(Object(typed), 'value'),
      ]);
      // The program at the other end has the same declaration
      return Object.fromEntries(values) as ToldBundle;
    },
    checkServer: async () => (await ask('CheckServer')) as [bigint, bigint],
    download: async () => (await ask('Download')) as ToldDownload,
    async load(group) {
      await ask('Load', group);
    },
    async loadFile(group, content) {
      await ask('LoadFile', group, content);
    },
    members: async (group) => (await ask('Members', group)) as ToldMember[],
    async set(setting, value) {
      await ask('Set', setting, { signature: bundleInterface.properties[setting], value });
    },
    async reset(setting) {
      await ask('Reset', setting);
    },
    close: () => bus.close(),
  };
}
