import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { curl, logIn } from '../../e2e/redfish-client.ts';
import { type PrivateBus, startPrivateBus } from '../../fakes/private-bus.ts';
import { type RedfishProcess, redfishFiles } from '../../fakes/redfish-process.ts';
import {
  makeSample,
  type ScriptedManager,
  startScriptedManager,
} from '../../fakes/scripted-manager.ts';

const https = '/redfish/v1/Managers/bmc/NetworkProtocol/HTTPS/Certificates';
const service = '/redfish/v1/CertificateService';

describe("the Redfish service over a manager on the bus that has upstream's interfaces alone", () => {
  const password = 'correct horse battery';
  let bus: PrivateBus;
  let manager: ScriptedManager;
  let redfish: RedfishProcess;
  let token: string;

  before(async () => {
    bus = await startPrivateBus();
    const sample = makeSample('upstream');
    manager = await startScriptedManager(
      bus.address,
      { type: 'server', name: 'https' },
      {
        1: [sample],
      },
    );
    const files = redfishFiles(bus);
    await files.setPassword(password);
    redfish = await files.start();
    token = await logIn(redfish.url, password);
  });
  after(async () => {
    await redfish?.stop();
    manager?.bus.close();
    await bus?.stop();
  });

  const ask = (uri: string, body?: object) =>
    curl(`${redfish.url}${uri}`, { token, ...(body && { method: 'POST', body }) });

  it('shows the certificates, and nothing of our own', async () => {
    const collection = await ask(https);
    assert.equal(collection.json['Members@odata.count'], 1, collection.text);
    assert.equal('Oem' in collection.json, false);
    const { Actions } = (await ask(service)).json;
    assert.ok(Actions?.['#CertificateService.GenerateCSR']);
    assert.equal('Oem' in Actions, false);
  });

  it('answers 404 to the actions of our own', async () => {
    const target = `${service}/Actions/Oem/BmcCertificates`;
    const Certificates = { '@odata.id': https };
    const answers = [
      await ask(`${target}.Reload`, { Certificates }),
      await ask(`${target}.Stage`, { Certificates, CertificateString: 'x' }),
      await ask(`${target}.Commit`, { Replacement: 'x' }),
    ];
    for (const { status, text } of answers) assert.equal(status, 404, text);
  });
});
