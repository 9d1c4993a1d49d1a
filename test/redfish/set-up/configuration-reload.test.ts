import assert from 'node:assert/strict';
import { mkdirSync, writeFileSync } from 'node:fs';
import { Agent, get } from 'node:https';
import { join } from 'node:path';
import { after, afterEach, before, describe, it } from 'node:test';
import { until } from '../../e2e/commands.ts';
import { curl, logIn } from '../../e2e/redfish-client.ts';
import { type AccountManagerProcess, startAccountManager } from '../../fakes/account-manager.ts';
import {
  endpoints,
  type ManagerProcess,
  startManager,
  writeConfiguration,
} from '../../fakes/manager-process.ts';
import { type PrivateBus, startPrivateBus } from '../../fakes/private-bus.ts';
import { infoOf, newKey, quickCertificate } from '../../fakes/quick-certificate.ts';
import {
  addAdmin,
  password,
  type RedfishProcess,
  runRedfish,
} from '../../fakes/redfish-program.ts';

/** All that an operator writes for a further endpoint. */
const gnmi = { type: 'server', name: 'gnmi' };
const redfish = { address: '127.0.0.1', port: 0, directory: '.' };
const collection = '/redfish/v1/Managers/bmc/CertificateEndpoints/server/gnmi/Certificates';
const generate = '/redfish/v1/CertificateService/Actions/CertificateService.GenerateCSR';

describe('a Redfish service that reads its configuration again', () => {
  let bus: PrivateBus;
  let manager: ManagerProcess;
  let service: RedfishProcess;
  let token: string;
  const ask = (path: string, body?: object) =>
    curl(service.url + path, { token, ...(body && { body }) });
  const lines = (text: string) => service.output().split(text).length - 1;
  let accounts: AccountManagerProcess;
  const reload = async (said: string) => {
    const before = lines(said);
    process.kill(service.pid, 'SIGHUP');
    await until(said, () => lines(said) > before);
  };
  /** One edit of the file that both programs have, and one signal for each. */
  const edit = async (changes: object) => {
    writeConfiguration(bus, { redfish, ...changes });
    process.kill(manager.pid, 'SIGHUP');
    await reload('configuration read again');
  };

  before(async () => {
    bus = await startPrivateBus();
    await addAdmin(bus.directory);
    manager = await startManager(bus, { redfish });
    accounts = await startAccountManager(join(bus.directory, 'manager.json'));
    service = await runRedfish(join(bus.directory, 'manager.json'));
    token = await logIn(service.url, password);
  });
  after(async () => {
    await service?.stop();
    await accounts?.stop();
    await manager?.stop();
    await bus?.stop();
  });
  afterEach(async () => {
    // A text of its own, so that it is read in any case
    await edit({ redfish: { ...redfish, firmwareVersion: `${Date.now()}` } });
  });

  it('has the certificates of a further endpoint, whose CSRs it takes, until the endpoint is taken away', async () => {
    assert.equal((await ask(collection)).status, 404);
    await edit({ endpoints: [...endpoints, gnmi] });
    const { json } = await until('the manager serves it', async () => {
      const answer = await ask(collection);
      return answer.status === 200 && answer;
    });
    assert.deepEqual(json.Members, [{ '@odata.id': `${collection}/1` }]);
    const { text } = await ask('/redfish/v1/Managers/bmc');
    assert.ok(text.includes(`"${collection}"`));
    const reference = { '@odata.id': collection };
    const csr = await ask(generate, { CommonName: 'gnmi', CertificateCollection: reference });
    assert.match(csr.text, /BEGIN CERTIFICATE REQUEST/);
    await edit({});
    assert.equal((await ask(collection)).status, 404);
  });

  it('goes on with open connections and requests at work', async () => {
    const agent = new Agent({ keepAlive: true, maxSockets: 1, rejectUnauthorized: false });
    const ports = new Set<number | undefined>();
    const once = () =>
      new Promise<number | undefined>((resolve, reject) => {
        const asked = get(`${service.url}/redfish/v1`, { agent }, (response) => {
          ports.add(response.socket.localPort);
          response.resume().on('end', () => resolve(response.statusCode));
        });
        asked.on('error', reject);
      });
    // Which takes seconds
    const slow = ask(generate, {
      ...{ CommonName: 'bmc', KeyPairAlgorithm: 'RSA', KeyBitLength: 4096 },
      CertificateCollection: {
        '@odata.id': '/redfish/v1/Managers/bmc/NetworkProtocol/HTTPS/Certificates',
      },
    });
    for (let at = 0; at < 40; at += 1) {
      writeConfiguration(bus, { redfish, endpoints: [...endpoints, ...(at % 2 ? [gnmi] : [])] });
      process.kill(service.pid, 'SIGHUP');
      assert.equal(await once(), 200);
    }
    assert.equal(ports.size, 1);
    assert.ok([200, 202].includes((await slow).status), (await slow).text);
    agent.destroy();
  });

  const refused: readonly [string, string | object, RegExp][] = [
    ['is no JSON', '{\n  "bus": \n}', /not JSON from line 3, column 1 on/],
    [
      'has a bad member',
      '{\n  "redfish": {\n    "port": "x"\n  }\n}',
      /\/redfish\/port \(line 3, column 5\) must be integer/,
    ],
    [
      'has no endpoint for its certificate',
      { endpoints: [gnmi], redfish: { ...redfish, endpoint: 'https' } },
      /\/redfish\/endpoint \(line \d+, column 5\) is https, which is no server endpoint/,
    ],
    [
      'maps certificates to no user',
      { clientIdentities: { defaultIdentity: { mapType: 'specified' } } },
      /\/clientIdentities\/defaultIdentity\/name \(line \d+, column \d+\) is required/,
    ],
    [
      'has a web UI that cannot be read',
      { redfish: { ...redfish, webUi: { directory: '/nowhere' } } },
      /refused.*\/nowhere/,
    ],
  ];
  for (const [what, text, says] of refused) {
    it(`changes nothing for a file that ${what}, and says where`, async () => {
      const read = lines('configuration read again');
      if (typeof text === 'string') writeFileSync(join(bus.directory, 'manager.json'), text);
      else writeConfiguration(bus, { redfish, ...text });
      await reload('configuration refused, the old one stays');
      assert.match(service.output(), says);
      assert.equal(lines('configuration read again'), read);
      assert.equal((await ask('/redfish/v1/Managers/bmc')).status, 200);
    });
  }

  it('counts limits of requests at once', async () => {
    const path = `/redfish/v1?only&x=${'x'.repeat(400)}`;
    assert.notEqual((await ask(path)).status, 414);
    await edit({ redfish: { ...redfish, limits: { uriBytes: 256 } } });
    assert.equal((await ask(path)).status, 414);
    await edit({});
    assert.notEqual((await ask(path)).status, 414);
  });

  it('serves a web UI at once, and no more when it is taken away', async () => {
    const directory = join(bus.directory, 'ui');
    mkdirSync(directory);
    writeFileSync(join(directory, 'index.html'), '<p>the page</p>');
    await edit({ redfish: { ...redfish, webUi: { directory } } });
    assert.match((await curl(`${service.url}/`)).text, /the page/);
    await edit({});
    const { status, headers } = await ask('/');
    assert.deepEqual([status, headers.location], [302, '/redfish/v1/']);
  });

  it('refuses clients whose certificates are in a list of revoked certificates that comes and goes', async () => {
    const [issuerKey, clientKey] = [newKey(), newKey()];
    const shape = { issuer: 'the CA', issuerKey };
    const ca = quickCertificate({
      ...shape,
      info: infoOf(issuerKey),
      subject: 'the CA',
      isCa: true,
    });
    const client = { ...shape, info: infoOf(clientKey), subject: 'admin', isCa: false };
    const cert = quickCertificate(client);
    const key = String(clientKey.export({ type: 'pkcs8', format: 'pem' }));
    const install = (collection: string, CertificateString: string) =>
      ask(collection, { CertificateString, CertificateType: 'PEM' });
    const truststore = '/redfish/v1/Managers/bmc/Truststore/Certificates';
    assert.ok((await install(truststore, ca)).status < 300);
    const login = () =>
      new Promise<number | undefined>((resolve, reject) => {
        const options = { cert, key, rejectUnauthorized: false, agent: false };
        const path = '/redfish/v1/SessionService';
        const asked = get(service.url + path, options, (response) => {
          response.resume().on('end', () => resolve(response.statusCode));
        });
        asked.on('error', reject);
      });
    assert.equal(await login(), 200);
    const revoked = { type: 'authority', name: 'revoked', requireCa: false };
    await edit({ endpoints: [...endpoints, revoked] });
    const list = '/redfish/v1/Managers/bmc/SecurityPolicy/TLS/Server/RevokedCertificates';
    await until('there is a list', async () => (await ask(list)).status === 200);
    assert.equal(await login(), 200);
    assert.ok((await install(list, cert)).status < 300);
    assert.equal(await login(), 401);
    await edit({});
    assert.equal(await login(), 200);
    await edit({ endpoints: [...endpoints, revoked] });
    await until('the list is back', async () => (await ask(list)).status === 200);
    assert.equal(await login(), 401);
  });

  it('names the settings that count after a restart', async () => {
    const tls = { profile: 'modern' };
    const moved = endpoints.map((one) =>
      one.type === 'server' ? { ...one, path: 'moved/server.pem' } : one,
    );
    await edit({ redfish: { ...redfish, port: 4430, tls }, endpoints: moved });
    assert.match(
      service.output(),
      /count after a restart settings="\/redfish\/port \/redfish\/tls\/profile"/,
    );
    assert.match(service.output(), /the path of the served endpoint counts after a restart/);
    assert.equal((await ask('/redfish/v1/Managers/bmc')).status, 200);
  });
});
