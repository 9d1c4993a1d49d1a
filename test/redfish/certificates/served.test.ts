import assert from 'node:assert/strict';
import { readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { type Credential, fingerprintOf, formatCredential } from '../../../src/tls/credential.ts';
import { until } from '../../e2e/commands.ts';
import { curl, type Json, logIn } from '../../e2e/redfish-client.ts';
import { type AccountManagerProcess, startAccountManager } from '../../fakes/account-manager.ts';
import { busCaller } from '../../fakes/bus-caller.ts';
import { makeCredential } from '../../fakes/credentials.ts';
import { type ManagerProcess, names, paths, startManager } from '../../fakes/manager-process.ts';
import { type PrivateBus, startPrivateBus } from '../../fakes/private-bus.ts';
import {
  addAdmin,
  password,
  type RedfishProcess,
  shownBy,
  startRedfish,
} from '../../fakes/redfish-program.ts';

const collection = '/redfish/v1/Managers/bmc/NetworkProtocol/HTTPS/Certificates';
const replacement = 'xyz.openbmc_project.Certs.Extension.Replacement';

/** What the service says of its certificate, and what openssl is shown, must be one. */
describe('Status of the certificate that the service serves', () => {
  let bus: PrivateBus;
  let manager: ManagerProcess;
  let service: RedfishProcess;
  let accounts: AccountManagerProcess | undefined;
  let token: string;
  let path: string;

  before(async () => {
    bus = await startPrivateBus();
    path = join(bus.directory, 'https', 'server.pem');
    await addAdmin(bus.directory);
    manager = await startManager(bus);
    await startService();
  });
  after(async () => {
    manager.stop('SIGCONT');
    await service.stop();
    await accounts?.stop();
    await manager.stop();
    await bus.stop();
  });

  async function startService(changes: object = {}): Promise<void> {
    service = await startRedfish(bus.directory, bus.address, changes);
    accounts ??= await startAccountManager(join(bus.directory, 'redfish.json'));
    token = await logIn(service.url, password);
  }
  const put = (credential: Credential) => {
    writeFileSync(`${path}.new`, formatCredential(credential), { mode: 0o600 });
    renameSync(`${path}.new`, path);
  };
  const get = () => curl(`${service.url}${collection}/1`, { token });
  const lengthOf = ({ CertificateString: pem }: Json) => String(pem).split('-----END').length - 1;

  /** @returns the Status, which each way to the certificate shows alike */
  async function status(): Promise<Json> {
    const { json } = await get();
    const expanded = await curl(`${service.url}${collection}?$expand=*`, { token });
    const [member] = Object.values(expanded.json.Members ?? {});
    assert.deepEqual(member?.Status, json.Status);
    return json.Status ?? {};
  }
  const isHealthy = async () => String((await get()).json.Status?.Health) === 'OK';
  /** That the status is healthy, and that it is so for a reason. */
  async function mustBeShown(): Promise<void> {
    const { json } = await get();
    const shown = await shownBy(service);
    assert.deepEqual(json.Status, { State: 'Enabled', Health: 'OK' } as unknown);
    assert.equal(shown[0], String(json.Fingerprint));
    assert.equal(shown.length, lengthOf(json));
  }
  /** That it is critical and names what clients are shown. */
  async function mustSayWhatIsShown(reason: RegExp): Promise<void> {
    const [shown = ''] = await shownBy(service);
    const { Health, Conditions } = await status();
    assert.equal(String(Health), 'Critical');
    const [condition] = Object.values(Conditions ?? {});
    assert.equal(String(condition?.Severity), 'Critical');
    assert.ok(String(condition?.Message).includes(shown), String(condition?.Message));
    assert.match(String(condition?.Message), reason);
  }
  const replace = async (credential: Credential) => {
    const action = '/redfish/v1/CertificateService/Actions/CertificateService.ReplaceCertificate';
    const answer = await curl(`${service.url}${action}`, {
      token,
      body: {
        CertificateString: formatCredential(credential),
        CertificateType: 'PEM',
        CertificateUri: { '@odata.id': `${collection}/1` },
      },
    });
    assert.equal(answer.status, 200, answer.text);
    return answer.json;
  };

  it('is OK for the first certificate', mustBeShown);

  it('is OK in the reply to a replacement, and the next handshake shows the new certificate', async () => {
    for (const name of ['first', 'second', 'third']) {
      const next = makeCredential(name);
      const { Status } = await replace(next);
      assert.deepEqual(await shownBy(service), [fingerprintOf(next)]);
      assert.deepEqual(Status, { State: 'Enabled', Health: 'OK' } as unknown);
      await mustBeShown();
    }
  });

  it('is OK while a staged replacement is active, and after it was undone', async () => {
    const caller = await busCaller(bus.address, names.server);
    const next = makeCredential('staged');
    const bytes = Buffer.from(formatCredential(next));
    const id = await caller.call(
      paths.server,
      `${replacement}.Stage`,
      'aysssaysu',
      ...[bytes, 'PEM', '', '', Buffer.alloc(0), '', 0],
    );
    await mustBeShown();
    await caller.call(paths.server, `${replacement}.Activate`, 'su', id, 60);
    assert.deepEqual(await shownBy(service), [fingerprintOf(next)]);
    await mustBeShown();
    await caller.call(paths.server, `${replacement}.Rollback`, 's', id);
    assert.notDeepEqual(await shownBy(service), [fingerprintOf(next)]);
    await mustBeShown();
    caller.leave();
  });

  it('is Critical while clients are shown a file that the manager does not know', async () => {
    manager.stop('SIGSTOP');
    const other = makeCredential('by hand');
    put(other);
    assert.deepEqual(await shownBy(service), [fingerprintOf(other)]);
    await mustSayWhatIsShown(/the manager has not taken over yet/);
    manager.stop('SIGCONT');
    await until('the manager takes it over', isHealthy);
    await mustBeShown();
  });

  it('is a Warning while the certificate is shown that the file does not hold', async () => {
    const [before] = await shownBy(service);
    manager.stop('SIGSTOP');
    writeFileSync(path, 'garbage');
    assert.deepEqual(await shownBy(service), [before]);
    const { Health, Conditions } = await status();
    assert.equal(String(Health), 'Warning');
    assert.match(JSON.stringify(Conditions), /served from memory, because the file holds no cert/);
    manager.stop('SIGCONT');
    await until('the manager puts it right', isHealthy);
    await mustBeShown();
  });

  it('is Critical when the service cannot read what the manager published', async () => {
    await service.stop();
    rmSync(join(bus.directory, 'last-good.pem'));
    const elsewhere = { type: 'server', name: 'https', path: 'elsewhere.pem', reload: [] };
    writeFileSync(join(bus.directory, elsewhere.path), '');
    await startService({ endpoints: [elsewhere] });
    await mustSayWhatIsShown(/because the file is empty\.$/);
    const { json } = await get();
    writeFileSync(join(bus.directory, elsewhere.path), readFileSync(path));
    await mustBeShown();
    assert.notDeepEqual((await get()).json, json);
    await service.stop();
    await startService();
    await mustBeShown();
  });

  it('is not told while the manager hangs, and the service comes up all the same', async () => {
    await service.stop();
    manager.stop('SIGSTOP');
    // The bus gives up a call after 25 s
    await startService();
    assert.equal((await get()).status, 503);
    manager.stop('SIGCONT');
    await until('the manager is back', async () => (await get()).status === 200);
    await mustBeShown();
  });

  it('is not told while the manager is dead, and the certificate stays', async () => {
    const [before] = await shownBy(service);
    await manager.stop('SIGKILL');
    await until('the service notices', async () => (await get()).status === 503);
    writeFileSync(path, '');
    assert.deepEqual(await shownBy(service), [before]);
    await service.stop();
    await startService();
    assert.deepEqual(await shownBy(service), [before]);
    manager = await startManager(bus);
    await until('the manager is back', async () => (await get()).status === 200);
    await until('its certificate is shown', async () => {
      const [shown] = await shownBy(service);
      return shown === String((await get()).json.Fingerprint);
    });
    await mustBeShown();
  });
});
