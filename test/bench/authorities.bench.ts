// How long a truststore of many authorities takes, without the bus and over it:
//     npm run bench -- [--count N] [--samples N] [--only endpoint|bus]
// All of a thousand are minutes of installs; with samples only the first N and the last N are
// installed one by one, and the others in between at once.
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { connectBus } from '../../src/dbus/transport/bus.ts';
import { AuthorityEndpoint } from '../../src/manager/truststore/authority-endpoint.ts';
import { writeText } from '../e2e/certificate-authority.ts';
import { names, paths, startManager } from '../fakes/manager-process.ts';
import { makeWorld } from '../fakes/manager-world.ts';
import { startPrivateBus } from '../fakes/private-bus.ts';
import { quickAuthorities } from '../interop/quick-authorities.ts';
import { Measures } from './measures.ts';

const { values } = parseArgs({
  options: {
    count: { type: 'string', default: '1000' },
    samples: { type: 'string' },
    only: { type: 'string' },
  },
});
const count = Number(values.count);
const samples = Math.min(Number(values.samples ?? count), Math.ceil(count / 2));

/** What is measured, whichever way it is reached. */
interface Truststore {
  install(pem: string): Promise<unknown>;
  replaceAll(bundle: string): Promise<unknown>;
  deleteAll(): Promise<unknown>;
  /** From nothing to a truststore that can be used. */
  restart(): Promise<unknown>;
}

const oneByOne = 'Install, one by one';
const again = 'ReplaceAll of the same';
const fresh = 'ReplaceAll of others';

async function measure(title: string, store: Truststore): Promise<void> {
  const measures = new Measures();
  const pems = quickAuthorities(count).map(({ pem }) => pem);
  const others = quickAuthorities(count).map(({ pem }) => pem);
  for (const pem of pems.slice(0, samples)) {
    await measures.take(oneByOne, () => store.install(pem));
  }
  if (samples < count - samples) await store.replaceAll(pems.slice(0, -samples).join(''));
  for (const pem of pems.slice(Math.max(samples, count - samples))) {
    await measures.take(oneByOne, () => store.install(pem));
  }
  await measures.take(again, () => store.replaceAll(pems.join('')));
  await measures.take(fresh, () => store.replaceAll(others.join('')));
  await measures.take('restart', () => store.restart());
  await measures.take('DeleteAll', () => store.deleteAll());
  await measures.take('restart when empty', () => store.restart());
  const growth = measures.growth(oneByOne).toFixed(1);
  // An install takes as long as there are authorities already, so the mean of both ends is that of all
  const all = measures.mean(oneByOne) * count;
  console.log(measures.table(`${title}, ${count} authorities`));
  console.log(`one install, last tenth / first tenth:  ${growth}`);
  console.log(`all installs one by one:                ${all.toFixed(0)} ms`);
  console.log(
    `ReplaceAll of others / all installs:    ${(measures.mean(fresh) / all).toFixed(4)}\n`,
  );
}

async function measureEndpoint(): Promise<void> {
  const world = makeWorld({ limits: { authorities: count } });
  const path = join(world.directory, 'authority');
  const definition = { type: 'authority', name: 'truststore', path, reload: [] } as const;
  let endpoint = new AuthorityEndpoint(definition, world.dependencies);
  try {
    await endpoint.start();
    await measure('endpoint', {
      install: (pem) => endpoint.install(pem),
      replaceAll: (bundle) => endpoint.replaceAll(bundle),
      deleteAll: () => endpoint.deleteAll(),
      async restart() {
        endpoint = new AuthorityEndpoint(definition, world.dependencies);
        await endpoint.start();
      },
    });
  } finally {
    world.remove();
  }
}

async function measureBus(): Promise<void> {
  const daemon = await startPrivateBus();
  const limits = { authorities: count, uploadBytes: 64 * 1024 * 1024 };
  let manager = await startManager(daemon, { limits });
  const bus = await connectBus(daemon.address);
  const call = (interfaceName: string, member: string, text?: string) =>
    bus.call({
      destination: names.authority,
      path: paths.authority,
      interface: interfaceName,
      member,
      timeout: 110_000,
      ...(text !== undefined && {
        signature: 's',
        body: [writeText(daemon.directory, 'upload.pem', text)],
      }),
    });
  try {
    await measure('over the bus', {
      install: (pem) => call('xyz.openbmc_project.Certs.Install', 'Install', pem),
      replaceAll: (bundle) => call('xyz.openbmc_project.Certs.ReplaceAll', 'ReplaceAll', bundle),
      deleteAll: () => call('xyz.openbmc_project.Collection.DeleteAll', 'DeleteAll'),
      async restart() {
        await manager.stop();
        manager = await startManager(daemon, { limits });
      },
    });
  } finally {
    bus.close();
    await manager.stop();
    await daemon.stop();
  }
}

if (values.only !== 'bus') await measureEndpoint();
if (values.only !== 'endpoint') await measureBus();
