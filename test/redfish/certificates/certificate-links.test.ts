import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { linkIssuers } from '../../../src/redfish/certificates/certificate-links.ts';
import { collectionsOf } from '../../../src/redfish/certificates/collections.ts';
import { makeAuthority, type TestAuthority } from '../../e2e/certificate-authority.ts';
import { MemoryClient } from '../../fakes/memory-client.ts';
import { endpoints } from '../service.ts';

const [https, ldap, truststore] = endpoints;
const trusted = '/redfish/v1/Managers/bmc/Truststore/Certificates';
const served = '/redfish/v1/Managers/bmc/NetworkProtocol/HTTPS/Certificates/1';
const ofLdap = '/redfish/v1/AccountService/LDAP/Certificates/1';
const key = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256'];

describe('who issued whom', () => {
  const directory = mkdtempSync(join(tmpdir(), 'certificateLinks-'));
  let ca: TestAuthority;
  let namesake: TestAuthority;
  let leaf: string;

  before(async () => {
    ca = await makeAuthority(directory, 'Test CA');
    leaf = (await ca.issue('bmc.example.com', key)).pem;
    namesake = await makeAuthority(directory, 'Test CA');
  });
  after(() => rmSync(directory, { recursive: true }));

  const setUp = () => {
    const client = new MemoryClient();
    const certificateLinks = linkIssuers(client, () => collectionsOf('bmc', endpoints));
    return { client, certificateLinks };
  };

  it('is told from both sides, by the canonical address alone', () => {
    const { client, certificateLinks } = setUp();
    const issuer = client.put(truststore, '1', ca.pem);
    const issued = client.put(https, '1', leaf);
    assert.deepEqual(certificateLinks(issued), { issuer: `${trusted}/1`, subjects: [] });
    assert.deepEqual(certificateLinks(issuer), { issuer: undefined, subjects: [served] });
  });

  it('is decided by the signature, not by the name', () => {
    const { client, certificateLinks } = setUp();
    const other = client.put(truststore, '1', namesake.pem);
    const issued = client.put(https, '1', leaf);
    assert.deepEqual(certificateLinks(issued), { issuer: undefined, subjects: [] });
    assert.deepEqual(certificateLinks(other), { issuer: undefined, subjects: [] });
    client.put(truststore, '2', ca.pem);
    assert.equal(certificateLinks(issued).issuer, `${trusted}/2`);
  });

  it('changes with every change', async () => {
    const { client, certificateLinks } = setUp();
    const issuer = client.put(truststore, '1', ca.pem);
    client.put(https, '1', leaf);
    client.put(ldap, '1', leaf);
    assert.equal(certificateLinks(issuer).subjects.length, 2);
    await client.delete(ldap, '1');
    assert.deepEqual(certificateLinks(issuer).subjects, [served]);
    client.away = true;
    assert.deepEqual(certificateLinks(issuer).subjects, []);
    client.away = false;
    assert.deepEqual(certificateLinks(issuer).subjects, [served]);
  });

  it('changes when one endpoint goes and another comes', () => {
    const { client, certificateLinks } = setUp();
    const issuer = client.put(truststore, '1', ca.pem);
    client.put(https, '1', leaf);
    client.put(ldap, '1', leaf);
    client.leave(ldap);
    assert.deepEqual(certificateLinks(issuer).subjects, [served]);
    client.comeBack(ldap);
    client.leave(https);
    assert.deepEqual(certificateLinks(issuer).subjects, [ofLdap]);
  });
});
