import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, beforeEach, describe, it } from 'node:test';
import { makeAuthority, type TestAuthority } from './certificate-authority.ts';
import { must, until } from './commands.ts';
import { curl, type HttpRequest, type Json, logIn } from './redfish-client.ts';
import { type RunningStack, removeDirectory, startStack, temporaryDirectory } from './stack.ts';

const https = '/redfish/v1/Managers/bmc/NetworkProtocol/HTTPS/Certificates';
const truststore = '/redfish/v1/Managers/bmc/Truststore/Certificates';
const service = '/redfish/v1/CertificateService';

describe('a replacement in two phases over Redfish', () => {
  const state = temporaryDirectory();
  let stack: RunningStack;
  let ca: TestAuthority;
  let token: string;
  let old: string;
  let names = 0;

  before(async () => {
    ca = await makeAuthority(state, 'Test CA');
    stack = await startStack(state);
    token = await logIn(stack.url, stack.password);
  });
  after(async () => {
    await stack?.stop();
    removeDirectory(state);
  });
  beforeEach(async () => {
    old = await shown();
  });

  const ask = (uri: string, request: HttpRequest = {}) =>
    curl(`${stack.url}${uri}`, { token, ...request });
  const act = async (name: string, body: object) => {
    const { Actions } = (await ask(service)).json;
    const target = String(Actions?.Oem?.[`#BmcCertificates.${name}`]?.target);
    return ask(target, { method: 'POST', body });
  };
  const shown = async () => {
    const address = stack.url.slice('https://'.length);
    return must('openssl', ['x509'], await must('openssl', ['s_client', '-connect', address]));
  };
  const replacement = async (uri = https) =>
    (await ask(uri)).json.Oem?.BmcCertificates?.Replacement ?? {};
  const key = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256'];
  /** @returns its name and the PEM that it brings */
  const stage = async (members: object = {}) => {
    names += 1;
    const issued = await ca.issue(`bmc-${names}.example.com`, key);
    const body = {
      CertificateUri: { '@odata.id': `${https}/1` },
      CertificateString: issued.key + issued.pem,
      ...members,
    };
    const answer = await act('Stage', body);
    assert.equal(answer.status, 200, answer.text);
    assert.equal(answer.json.State, 'Staged');
    return { id: String(answer.json.Replacement), pem: issued.pem, answer: answer.json };
  };
  const isAhead = ({ Deadline }: Json) => Date.parse(String(Deadline)) > Date.now();

  it('is not shown while it is staged, and shown once it is active, until it is rolled back', async () => {
    const { id, pem, answer } = await stage({ Seconds: 600 });
    assert.ok(isAhead(answer));
    assert.equal(await shown(), old);
    assert.equal((await replacement()).Replacement, id);
    const active = await act('Activate', { Replacement: id, Seconds: 600 });
    assert.equal(active.status, 200, active.text);
    assert.equal(active.json.State, 'Active');
    assert.ok(isAhead(active.json));
    assert.equal(await shown(), pem);
    assert.equal((await act('Rollback', { Replacement: id })).status, 204);
    assert.equal(await shown(), old);
    assert.equal((await replacement()).State, 'None');
    assert.equal((await act('Rollback', { Replacement: id })).status, 404);
  });

  it('stays once it is committed, together with its authorities', async () => {
    const { id, pem } = await stage({ AuthoritiesString: ca.pem });
    assert.equal((await replacement(truststore)).Replacement, id);
    assert.equal((await act('Commit', { Replacement: id })).status, 409);
    assert.equal((await act('Activate', { Replacement: id })).status, 200);
    assert.equal((await act('Commit', { Replacement: id })).status, 204);
    assert.equal(await shown(), pem);
    const { Members } = (await ask(truststore)).json;
    assert.equal(Object.values(Members ?? {}).length, 1);
    assert.equal((await replacement()).State, 'None');
  });

  it('keeps other changes out until its time is up, and is gone then', async () => {
    const { id } = await stage({ Seconds: 600 });
    const other = await ca.issue('other.example.com', key);
    const body = {
      CertificateString: other.key + other.pem,
      CertificateType: 'PEM',
      CertificateUri: { '@odata.id': `${https}/1` },
    };
    const replace = `${service}/Actions/CertificateService.ReplaceCertificate`;
    const refused = await ask(replace, { method: 'POST', body });
    assert.equal(refused.status, 503);
    assert.match(refused.text, /replacement-in-progress/);
    assert.equal((await act('Activate', { Replacement: id, Seconds: 1 })).status, 200);
    await until('its time is up', async () => String((await replacement()).State) === 'None');
    assert.equal(await shown(), old);
  });

  it('outlives the session that staged it, and the service itself', async () => {
    const { id, pem } = await stage({ Seconds: 600 });
    const pidFile = join(stack.state, 'run', 'redfish.pid');
    const pid = readFileSync(pidFile, 'utf8');
    process.kill(Number(pid), 'SIGKILL');
    await until('the service is back', async () => {
      if (readFileSync(pidFile, 'utf8') === pid) return false;
      const isBack = () => true;
      return shown().then(isBack, () => false);
    });
    token = await logIn(stack.url, stack.password);
    await until(
      'it knows the manager again',
      async () => String((await replacement()).Replacement) === id,
    );
    assert.equal((await act('Activate', { Replacement: id })).status, 200);
    assert.equal(await shown(), pem);
    assert.equal((await act('Commit', { Replacement: id })).status, 204);
  });

  it('is refused with a time that the manager does not allow', async () => {
    const issued = await ca.issue('late.example.com', key);
    const answer = await act('Stage', {
      Certificates: { '@odata.id': https },
      CertificateString: issued.key + issued.pem,
      Seconds: 86_401,
    });
    assert.equal(answer.status, 400, answer.text);
    assert.match(answer.text, /ActionParameterValueError[\s\S]*Seconds is more than 3600/);
  });

  it('gives up a request, tells services, and replaces a whole truststore', async () => {
    const request = await ask(`${service}/Actions/CertificateService.GenerateCSR`, {
      method: 'POST',
      body: { CertificateCollection: { '@odata.id': https }, CommonName: 'bmc' },
    });
    assert.equal(request.status, 200, request.text);
    const told = async () => (await ask(https)).json.Oem?.BmcCertificates ?? {};
    const [first] = Object.values((await told()).Requests ?? {});
    assert.equal(first?.CSRString, request.json.CSRString);
    const collection = { '@odata.id': https };
    const discard = await act('DiscardRequest', { Id: first?.Id, Certificates: collection });
    assert.equal(discard.status, 204, discard.text);
    assert.equal(Object.values((await told()).Requests ?? {}).length, 0);
    assert.equal((await act('Reload', { Certificates: collection })).status, 204);
    const [reloaded] = Object.values((await told()).Services ?? {});
    assert.equal(reloaded?.Outcome, 'Reloaded');
    const second = await makeAuthority(state, 'Second CA');
    const { Actions } = (await ask(truststore)).json.Oem?.BmcCertificates ?? {};
    const target = String(Actions?.Oem?.['#BmcCertificates.ReplaceAll']?.target);
    const body = { CertificateString: ca.pem + second.pem };
    const all = await ask(target, { method: 'POST', body });
    assert.equal(all.status, 200, all.text);
    assert.equal(all.json['Members@odata.count'], 2);
    const bad = await ask(target, {
      method: 'POST',
      body: {
        CertificateString: `${ca.pem}x\n-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n`,
      },
    });
    assert.equal(bad.status, 400, bad.text);
    assert.equal((await ask(truststore)).json['Members@odata.count'], 2);
  });
});
